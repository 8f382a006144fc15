-- The reference of an attempt leads to the order whose payments name it. A reference may begin with its provider.
with attempts as (
  select reference, order_id, regexp_replace(reference, '^@[a-z]+:', '') as own from order_attempts
), own_orders as materialized (
  select order_id, payments from orders
), broken as (
  select a.order_id || ': its payments do not name the attempt ' || reference as example
  from attempts a left join own_orders o using (order_id)
  where o.order_id is null or strpos(coalesce(o.payments::text, ''), a.own) = 0
)
select
  (select count(*) from attempts) as checked,
  (select count(*) from broken) as violations,
  array(select example from broken order by example limit 20) as examples
