-- An order stands where its events put it: its time is that of the newest applied one; where the provider says only
-- statuses, its status is that of the newest applied one, `created` aside, which makes an order known and changes no
-- status; and it is what its newest event of any kind says that it left.
with applied as (
  select distinct on (order_id) order_id, data ->> 'status' as status, data ? 'payment' as reports_payment,
    max(coalesce(data ->> 'ruled_at', data ->> 'provider_updated_at')::timestamptz) over (partition by order_id) as provider_updated_at
  from order_events
  where data ->> 'verdict' = 'applied'
  order by order_id, sequence desc
), newest as (
  select distinct on (order_id) order_id, data -> 'after' as after
  from order_events
  where data ? 'after'
  order by order_id, sequence desc
), sums as (
  select distinct on (order_id) order_id, data -> 'after' as after
  from order_events
  where data -> 'after' ? 'captured_minor'
  order by order_id, sequence desc
), broken as (
  select order_id || ': order ' || o.status || ' of ' || coalesce(o.amount_minor || ' ' || o.currency, 'an unknown amount')
    || ', newest applied event ' || coalesce(a.status, 'none') || ', left by its newest event as ' || coalesce(n.after::text, 'nothing')
    || ', sums ' || coalesce(s.after::text, 'unreported') as example
  from orders o left join applied a using (order_id) left join newest n using (order_id) left join sums s using (order_id)
  where (a.status <> 'created' and not a.reports_payment and o.status <> a.status)
    or o.provider_updated_at <> a.provider_updated_at
    or (o.status, o.amount_minor, o.currency) is distinct from
      (n.after ->> 'status', (n.after ->> 'amount_minor')::bigint, (n.after ->> 'currency')::char(3)) and n.after is not null
    or (o.authorised_minor, o.captured_minor, o.refunded_minor, o.customer_id) is distinct from
      ((s.after ->> 'authorised_minor')::bigint, (s.after ->> 'captured_minor')::bigint, (s.after ->> 'refunded_minor')::bigint, s.after ->> 'customer_id')
      and s.after is not null
)
select
  (select count(*) from applied) as checked,
  (select count(*) from broken) as violations,
  array(select example from broken order by example limit 20) as examples
