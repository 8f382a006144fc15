import { RowBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { major } from '../major-units.ts';
import { page } from '../page.ts';
import { clickhouseLines, clickhouseNumber, clickhouseRows } from '../panels.ts';

/** What moves in the ledger, from ClickHouse. Roll-ups answer what they can. */
export const dashboard = page({
  uid: 'lab-money',
  title: 'Money',
  description: 'Transfers, postings and balances from ClickHouse. Times are those of the events.',
})
  .withPanel(
    clickhouseNumber({
      title: 'Transfers',
      description: 'Top-ups and withdrawals included, in the chosen time.',
      unit: 'short',
      sql: `
select sum(events) as transfers
from rollup_minute final
where $__timeFilter(bucket) and startsWith(type, 'transfer.')`,
    }),
  )
  .withPanel(
    clickhouseNumber({
      title: 'Out of balance',
      description:
        'Sum of all postings over all currencies: anything but 0 while nothing is on its way means that money was made or lost.',
      unit: 'short',
      sql: `
select toFloat64(sum(abs(minor))) as out_of_balance
from (select currency, sum(amount_minor) as minor from rollup_day final where type = 'posting.posted' group by currency)`,
    }),
  )
  .withPanel(
    clickhouseNumber({
      title: 'Accounts opened',
      description: 'In the chosen time.',
      unit: 'short',
      sql: `
select sum(events) as opened
from rollup_minute final
where $__timeFilter(bucket) and type = 'account.opened'`,
    }),
  )
  .withPanel(
    clickhouseNumber({
      title: 'Postings',
      description: 'In the chosen time; a transfer has two, or four between two currencies.',
      unit: 'short',
      sql: `
select sum(events) as postings
from rollup_minute final
where $__timeFilter(bucket) and type = 'posting.posted'`,
    }),
  )
  .withRow(new RowBuilder('Transfers'))
  .withPanel(
    clickhouseLines({
      title: 'Transfers by kind',
      description: 'Per interval.',
      unit: 'short',
      stacked: true,
      sql: `
select $__timeInterval(bucket) as time, substring(toString(type), 10) as kind, sum(events) as transfers
from rollup_minute final
where $__timeFilter(bucket) and startsWith(type, 'transfer.')
group by time, kind
order by time, kind`,
    }),
  )
  .withPanel(
    clickhouseLines({
      title: 'Amounts by currency',
      description: 'What payers paid, in major units. Currencies are not added up.',
      unit: 'short',
      sql: `
select
  $__timeInterval(bucket) as time,
  toString(currency) as currency,
  toFloat64(${major('sum(amount_minor)')}) as volume
from rollup_minute final
where $__timeFilter(bucket) and startsWith(type, 'transfer.')
group by time, currency
order by time, currency`,
    }),
  )
  .withPanel(
    clickhouseLines({
      title: 'Net inflow by currency',
      description: 'Top-ups less withdrawals, in major units. Below 0 more money left than came.',
      unit: 'short',
      sql: `
select
  $__timeInterval(bucket) as time,
  toString(currency) as currency,
  toFloat64(${major("(sumIf(amount_minor, type = 'transfer.top_up') - sumIf(amount_minor, type = 'transfer.withdrawal'))")}) as inflow
from rollup_minute final
where $__timeFilter(bucket) and startsWith(type, 'transfer.')
group by time, currency
order by time, currency`,
    }),
  )
  .withRow(new RowBuilder('Accounts'))
  .withPanel(
    clickhouseRows({
      title: 'Accounts with the most postings',
      description: 'Many transfers want these rows at one time.',
      unit: 'short',
      sql: `
select aggregate_id as account_id, toString(any(currency)) as currency, count() as postings
from events final
where $__timeFilter(occurred_at) and toStartOfMinute(occurred_at) >= toStartOfMinute($__fromTime)
  and aggregate_type = 'posting'
group by account_id
order by postings desc, account_id
limit 10`,
    }),
  )
  .withPanel(
    clickhouseRows({
      title: 'Money that is inside, by currency',
      description: 'Balances of all accounts that are no account of the ledger’s own, after their newest postings.',
      unit: 'short',
      sql: `
select toString(currency) as currency, toFloat64(${major('sum(balance_minor)')}) as inside, count() as accounts
from accounts_latest final
where not match(account_id, '^(external|clearing):')
group by currency
order by currency`,
    }),
  );
