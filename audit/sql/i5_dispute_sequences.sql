-- The events of every dispute are numbered 1..n without a gap or a repetition, and the dispute stands at n.
with numbered as (
  select dispute_id, count(*) as events, count(distinct sequence) as numbers, min(sequence) as first, max(sequence) as last
  from dispute_events
  group by dispute_id
), broken as (
  select dispute_id || ': ' || coalesce(n.events, 0) || ' events numbered ' || coalesce(n.first, 0) || '..' || coalesce(n.last, 0)
    || ', dispute at ' || coalesce(a.sequence::text, 'nothing') as example
  from disputes a full join numbered n using (dispute_id)
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
