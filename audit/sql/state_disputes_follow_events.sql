-- A dispute is what its newest event of any kind says that it left; the merchant's events say nothing of the provider's
-- time and of the money that was taken.
with applied as (
  select dispute_id, max(coalesce(data ->> 'ruled_at', data ->> 'provider_updated_at')::timestamptz) as provider_updated_at
  from dispute_events
  where data ->> 'verdict' = 'applied'
  group by dispute_id
), newest as (
  select distinct on (dispute_id) dispute_id, data -> 'after' as after
  from dispute_events
  where data ? 'after'
  order by dispute_id, sequence desc
), provided as (
  select distinct on (dispute_id) dispute_id, data -> 'after' as after
  from dispute_events
  where data -> 'after' ? 'charged_back_minor'
  order by dispute_id, sequence desc
), broken as (
  select dispute_id || ': dispute ' || d.status || ' of ' || d.amount_minor || ' ' || d.currency || ' for ' || d.reason
    || ', left by its newest event as ' || coalesce(n.after::text, 'nothing') as example
  from disputes d left join applied a using (dispute_id) left join newest n using (dispute_id) left join provided p using (dispute_id)
  where (d.status, d.reason, d.amount_minor, d.currency) is distinct from
      (n.after ->> 'status', n.after ->> 'reason', (n.after ->> 'amount_minor')::bigint, (n.after ->> 'currency')::char(3)) and n.after is not null
    or (d.charged_back_minor, d.provider_updated_at) is distinct from
      ((p.after ->> 'charged_back_minor')::bigint, (p.after ->> 'provider_updated_at')::timestamptz) and p.after is not null
    or d.provider_updated_at <> a.provider_updated_at and p.after is null
)
select
  (select count(*) from disputes) as checked,
  (select count(*) from broken) as violations,
  array(select example from broken order by example limit 20) as examples
