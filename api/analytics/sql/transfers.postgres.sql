-- $1, $2: time range; $3: currency or null; $4: seconds of a bucket
select
  (floor(extract(epoch from created_at) / $4::int8) * $4::int8)::int8::text as bucket_s,
  currency::text collate "C" as currency,
  kind collate "C" as kind,
  count(*)::text as transfers,
  sum(amount_minor)::text as volume_minor
from transfers
where created_at >= $1 and created_at < $2 and ($3::text is null or currency = $3)
group by 1, 2, 3
order by floor(extract(epoch from min(created_at)) / $4::int8), 2, 3
