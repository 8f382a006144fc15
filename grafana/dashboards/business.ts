import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { major } from '../major-units.ts';
import { page } from '../page.ts';
import { clickhouseLines, clickhouseNumber, clickhouseRows } from '../panels.ts';

/** What the business sees, from ClickHouse: payments, volumes, disputes. Roll-ups answer what they can. */
export const dashboard = page({
  uid: 'lab-business',
  title: 'Business',
  description: 'Payments, volumes and disputes from ClickHouse. Times are those of the events, not of their arrival.',
})
  .withPanel(
    clickhouseNumber({
      title: 'Orders',
      description: 'First heard of in the chosen time.',
      unit: 'short',
      sql: `
select sum(firsts) as orders
from rollup_minute final
where $__timeFilter(bucket) and type = 'order.webhook_received'`,
    }),
  )
  .withPanel(
    clickhouseNumber({
      title: 'Payments that succeeded',
      description: 'Share of the orders that came to an end in the chosen time.',
      unit: 'percentunit',
      sql: `
select sumIf(events, status = 'success') / nullIf(sumIf(events, status in ('success', 'failed')), 0) as succeeded
from rollup_minute final
where $__timeFilter(bucket) and type = 'order.webhook_received' and verdict = 'applied'`,
    }),
  )
  .withPanel(
    clickhouseNumber({
      title: 'Disputes opened',
      description: 'In the chosen time.',
      unit: 'short',
      sql: `
select sum(firsts) as disputes
from rollup_minute final
where $__timeFilter(bucket) and startsWith(type, 'dispute.')`,
    }),
  )
  .withPanel(
    clickhouseNumber({
      title: 'Disputes won',
      description: 'Share of the disputes that the provider decided in the chosen time.',
      unit: 'percentunit',
      sql: `
select sumIf(events, status = 'won') / nullIf(sumIf(events, status in ('won', 'lost')), 0) as won
from rollup_minute final
where $__timeFilter(bucket) and startsWith(type, 'dispute.') and verdict = 'applied'`,
    }),
  )
  .withPanel(
    clickhouseNumber({
      title: 'Newest event',
      description: 'When the newest event in ClickHouse happened.',
      unit: 'dateTimeFromNow',
      sql: `
select toUnixTimestamp64Milli(max(occurred_at)) as newest
from events
where toStartOfMinute(occurred_at) >= $__fromTime`,
    }),
  )
  .withPanel(
    clickhouseNumber({
      title: 'Events',
      description: 'Of orders, disputes and money, in the chosen time.',
      unit: 'short',
      sql: `
select sum(events) as events
from rollup_minute final
where $__timeFilter(bucket)`,
    }),
  )
  .withRow(new RowBuilder('Payments'))
  .withPanel(
    clickhouseLines({
      title: 'Orders by provider',
      description: 'First heard of, per interval.',
      unit: 'short',
      stacked: true,
      sql: `
select $__timeInterval(bucket) as time, toString(provider) as provider, sum(firsts) as orders
from rollup_minute final
where $__timeFilter(bucket) and type = 'order.webhook_received'
group by time, provider
order by time, provider`,
    }),
  )
  .withPanel(
    clickhouseLines({
      title: 'Volume by currency',
      description: 'Amounts of the orders that succeeded, in major units. Currencies are not added up.',
      unit: 'short',
      sql: `
select
  $__timeInterval(bucket) as time,
  toString(currency) as currency,
  toFloat64(${major('sum(after_amount_minor)')}) as volume
from rollup_minute final
where $__timeFilter(bucket) and type = 'order.webhook_received' and verdict = 'applied' and status = 'success'
group by time, currency
order by time, currency`,
    }),
  )
  .withPanel(
    clickhouseLines({
      title: 'Order updates by status',
      description: 'What providers said of orders, as far as it was applied.',
      unit: 'short',
      stacked: true,
      sql: `
select $__timeInterval(bucket) as time, toString(status) as status, sum(events) as updates
from rollup_minute final
where $__timeFilter(bucket) and type = 'order.webhook_received' and verdict = 'applied'
group by time, status
order by time, status`,
    }),
  )
  .withPanel(
    clickhouseRows({
      title: 'Orders by state now',
      description: 'All orders after their newest event, whenever that was.',
      unit: 'short',
      sql: `
select
  toString(status) as status,
  toString(currency) as currency,
  count() as orders,
  toFloat64(${major('sum(toInt128(ifNull(amount_minor, 0)))')}) as amount
from orders_latest final
group by status, currency
order by orders desc`,
    }),
  )
  .withRow(new RowBuilder('Disputes'))
  .withPanel(
    clickhouseLines({
      title: 'Disputes opened by provider',
      description: 'Per interval.',
      unit: 'short',
      stacked: true,
      sql: `
select $__timeInterval(bucket) as time, toString(provider) as provider, sum(firsts) as disputes
from rollup_minute final
where $__timeFilter(bucket) and startsWith(type, 'dispute.')
group by time, provider
order by time, provider`,
    }),
  )
  .withPanel(
    clickhouseLines({
      title: 'Disputes decided',
      description: 'Won and lost, per interval.',
      unit: 'short',
      stacked: true,
      sql: `
select $__timeInterval(bucket) as time, toString(status) as outcome, sum(events) as disputes
from rollup_minute final
where $__timeFilter(bucket) and startsWith(type, 'dispute.') and verdict = 'applied' and status in ('won', 'lost')
group by time, outcome
order by time, outcome`,
    }),
  )
  .withPanel(
    clickhouseRows({
      title: 'Disputes by reason and state now',
      description: 'All disputes after their newest event.',
      unit: 'short',
      sql: `
select
  toString(reason) as reason,
  countIf(status not in ('won', 'lost')) as open,
  countIf(status = 'won') as won,
  countIf(status = 'lost') as lost
from disputes_latest final
group by reason
order by open + won + lost desc`,
    }),
  )
  .withPanel(
    clickhouseRows({
      title: 'Users with the most disputes',
      description: 'A user with many disputes is a risk, and on citus perhaps a hot shard.',
      unit: 'short',
      sql: `
select user_id, count() as disputes, countIf(status = 'lost') as lost
from disputes_latest final
where $__timeFilter(updated_at)
group by user_id
order by disputes desc, user_id
limit 10`,
    }),
  )
  .withRow(new RowBuilder('Way to ClickHouse'))
  .withPanel(
    clickhouseLines({
      title: 'Freshness p99 of the stored events',
      description: 'From COMMIT to ClickHouse, computed from the times that every event carries.',
      unit: 's',
      sql: `
select
  $__timeInterval(occurred_at) as time,
  quantileExact(0.99)(dateDiff('millisecond', committed_at, sunk_at)) / 1000 as p99
from events
where $__timeFilter(occurred_at) and toStartOfMinute(occurred_at) >= toStartOfMinute($__fromTime) and committed_at is not null
group by time
order by time`,
    }),
  )
  .withPanel(
    clickhouseLines({
      title: 'Events by type',
      description: 'Per interval.',
      unit: 'short',
      stacked: true,
      sql: `
select $__timeInterval(bucket) as time, toString(type) as type, sum(events) as events
from rollup_minute final
where $__timeFilter(bucket)
group by time, type
order by time, type`,
    }),
  );
