-- $1, $2: time range; $3: currency or null; $4: provider or null; $5: seconds of a bucket
select
  (floor(extract(epoch from created_at) / $5::int8) * $5::int8)::int8::text as bucket_s,
  currency,
  provider,
  count(*) filter (where sequence = 1)::text as created,
  count(*) filter (where verdict = 'applied' and status = 'success')::text as succeeded,
  count(*) filter (where verdict = 'applied' and status = 'failed')::text as failed,
  coalesce(sum(after_minor) filter (where verdict = 'applied' and status = 'success'), 0)::text as volume_minor
from (
  select
    created_at, sequence,
    coalesce(provider, '') collate "C" as provider,
    data ->> 'status' as status,
    data ->> 'verdict' as verdict,
    coalesce(nullif(data ->> 'currency', ''), data -> 'after' ->> 'currency', '') collate "C" as currency,
    (data -> 'after' ->> 'amount_minor')::numeric as after_minor
  from order_events
  where created_at >= $1 and created_at < $2 and kind = 'webhook_received'
) as e
where ($3::text is null or currency = $3) and ($4::text is null or provider = $4)
  and (sequence = 1 or verdict = 'applied' and status in ('success', 'failed'))
group by 1, 2, 3
order by floor(extract(epoch from min(created_at)) / $5::int8), 2, 3
