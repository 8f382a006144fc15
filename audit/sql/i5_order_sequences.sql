-- The events of every order are numbered 1..n without a gap or a repetition, and the order stands at n.
with numbered as (
  select order_id, count(*) as events, count(distinct sequence) as numbers, min(sequence) as first, max(sequence) as last
  from order_events
  group by order_id
), broken as (
  select order_id || ': ' || coalesce(n.events, 0) || ' events numbered ' || coalesce(n.first, 0) || '..' || coalesce(n.last, 0)
    || ', order at ' || coalesce(a.sequence::text, 'nothing') as example
  from orders a full join numbered n using (order_id)
  where a.sequence is null
    or n.events is null
    or n.first <> 1
    or n.last <> n.events
    or n.numbers <> n.events
    or a.sequence <> n.last
)
select
  (select count(*) from numbered) as checked,
  (select count(*) from broken) as violations,
  array(select example from broken order by example limit 20) as examples
