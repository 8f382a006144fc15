-- A dispute has the time of its newest applied event, and is what its newest event of any kind says that it left.
with applied as (
  select distinct on (dispute_id) dispute_id, (data ->> 'provider_updated_at')::timestamptz as provider_updated_at
  from dispute_events
  where data ->> 'verdict' = 'applied'
  order by dispute_id, sequence desc
), newest as (
  select distinct on (dispute_id) dispute_id, data -> 'after' as after
  from dispute_events
  where data ? 'after'
  order by dispute_id, sequence desc
), broken as (
  select dispute_id || ': dispute ' || d.status || ' of ' || d.amount_minor || ' ' || d.currency || ' for ' || d.reason
    || ', left by its newest event as ' || coalesce(n.after::text, 'nothing') as example
  from disputes d left join applied a using (dispute_id) left join newest n using (dispute_id)
  where d.provider_updated_at <> a.provider_updated_at
    or (d.status, d.reason, d.amount_minor, d.currency) is distinct from
      (n.after ->> 'status', n.after ->> 'reason', (n.after ->> 'amount_minor')::bigint, (n.after ->> 'currency')::char(3)) and n.after is not null
)
select
  (select count(*) from applied) as checked,
  (select count(*) from broken) as violations,
  array(select example from broken order by example limit 20) as examples
