-- The newest posting of an account that is not younger than a moment: times follow the sequence, so that it is found by
-- halves, with one index probe each.
with recursive halves (low, high) as (
  select 0::bigint, version from accounts where account_id = $1
  union all
  select case when p.created_at <= $2 then p.sequence else low end,
    case when p.created_at <= $2 then high else p.sequence - 1 end
  from halves
  join postings p on p.account_id = $1 and p.sequence = (low + high + 1) / 2
  where low < high
)
select p.sequence, p.balance_minor, p.created_at
from halves h
join postings p on p.account_id = $1 and p.sequence = h.low
where h.low = h.high
