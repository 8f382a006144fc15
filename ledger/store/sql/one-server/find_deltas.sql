-- Of the accounts that lock_accounts has locked, by the same condition.
select d.account_id, d.transfer_id, d.amount_minor, d.currency, d.created_at
from unnest($1::text[]) as k (account_id)
join accounts a on a.account_id = k.account_id
cross join lateral (select * from balance_deltas where account_id = k.account_id offset 0) as d
where not $4::boolean or a.kind = 'wallet' or a.account_id = any ($3::text[])
  or (a.overdraft_limit_minor is not null and a.account_id = any ($2::text[]))
order by d.created_at, d.transfer_id
