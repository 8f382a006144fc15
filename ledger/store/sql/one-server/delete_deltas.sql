delete from balance_deltas as d
using unnest($1::text[], $2::uuid[]) as k (account_id, transfer_id)
where d.account_id = k.account_id and d.transfer_id = k.transfer_id
