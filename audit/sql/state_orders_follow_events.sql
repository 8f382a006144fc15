-- An order stands where its newest applied event put it, `created` aside, which makes an order known and changes no
-- status; and it is what its newest event of any kind says that it left.
with applied as (
  select distinct on (order_id) order_id, data ->> 'status' as status, (data ->> 'provider_updated_at')::timestamptz as provider_updated_at
  from order_events
  where data ->> 'verdict' = 'applied'
  order by order_id, sequence desc
), newest as (
  select distinct on (order_id) order_id, data -> 'after' as after
  from order_events
  where data ? 'after'
  order by order_id, sequence desc
), broken as (
  select order_id || ': order ' || o.status || ' of ' || coalesce(o.amount_minor || ' ' || o.currency, 'an unknown amount')
    || ', newest applied event ' || coalesce(a.status, 'none') || ', left by its newest event as ' || coalesce(n.after::text, 'nothing') as example
  from orders o left join applied a using (order_id) left join newest n using (order_id)
  where (a.status <> 'created' and o.status <> a.status)
    or o.provider_updated_at <> a.provider_updated_at
    or (o.status, o.amount_minor, o.currency) is distinct from
      (n.after ->> 'status', (n.after ->> 'amount_minor')::bigint, (n.after ->> 'currency')::char(3)) and n.after is not null
)
select
  (select count(*) from applied) as checked,
  (select count(*) from broken) as violations,
  array(select example from broken order by example limit 20) as examples
