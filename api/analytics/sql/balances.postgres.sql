-- $1, $2: time range; $3: account; $4: seconds of a bucket
select
  (floor(extract(epoch from created_at) / $4::int8) * $4::int8)::int8::text as bucket_s,
  min(currency::text) as currency,
  count(*)::text as postings,
  sum(amount_minor)::text as change_minor,
  (array_agg(balance_minor order by sequence desc))[1]::text as balance_minor
from postings
where account_id = $3 and created_at >= $1 and created_at < $2
group by 1
order by floor(extract(epoch from min(created_at)) / $4::int8)
