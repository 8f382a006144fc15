-- $1, $2: time range; $3: currency or null; $4: provider or null; $5: seconds of a bucket
with e as (
  select created_at, true as disputes, sequence, provider, data
  from dispute_events
  where created_at >= $1 and created_at < $2
  union all
  select created_at, false, 0, provider, data
  from order_events
  where created_at >= $1 and created_at < $2 and kind = 'webhook_received'
), r as (
  select
    created_at, disputes, sequence,
    coalesce(provider, '') collate "C" as provider,
    data ->> 'status' as status,
    data ->> 'verdict' as verdict,
    coalesce(nullif(data ->> 'currency', ''), data -> 'after' ->> 'currency', '') collate "C" as currency,
    (data -> 'after' ->> 'amount_minor')::numeric as after_minor
  from e
)
select
  (floor(extract(epoch from created_at) / $5::int8) * $5::int8)::int8::text as bucket_s,
  currency,
  provider,
  count(*) filter (where disputes and sequence = 1)::text as opened,
  coalesce(sum(after_minor) filter (where disputes and sequence = 1), 0)::text as disputed_minor,
  count(*) filter (where disputes and verdict = 'applied' and status = 'won')::text as won,
  count(*) filter (where disputes and verdict = 'applied' and status = 'lost')::text as lost,
  count(*) filter (where not disputes and verdict = 'applied' and status = 'success')::text as orders_succeeded
from r
where ($3::text is null or currency = $3) and ($4::text is null or provider = $4)
  and (
    disputes and (sequence = 1 or verdict = 'applied' and status in ('won', 'lost'))
    or not disputes and verdict = 'applied' and status = 'success'
  )
group by 1, 2, 3
order by floor(extract(epoch from min(created_at)) / $5::int8), 2, 3
