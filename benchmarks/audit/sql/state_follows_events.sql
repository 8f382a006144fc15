-- An order stands where its newest applied event put it. `created` makes an order known and changes no status.
with newest as (
  select distinct on (order_id) order_id, data ->> 'status' as status, (data ->> 'provider_updated_at')::timestamptz as provider_updated_at
  from order_events
  where data ->> 'verdict' = 'applied'
  order by order_id, sequence desc
), broken as (
  select order_id || ': order ' || o.status || ', newest applied event ' || n.status as example
  from orders o join newest n using (order_id)
  where (n.status <> 'created' and o.status <> n.status) or o.provider_updated_at <> n.provider_updated_at
)
select
  (select count(*) from newest) as checked,
  (select count(*) from broken) as violations,
  array(select example from broken order by example limit 20) as examples
