-- Its account is locked by the caller.
with released as (
  update holds set status = 'released', updated_at = $2
  where hold_id = $1 and status = 'active'
  returning hold_id, account_id, amount_minor, currency, status, reference, created_at, updated_at
), freed as (
  update accounts a set held_minor = a.held_minor - r.amount_minor, updated_at = greatest(a.updated_at, $2)
  from released r
  where a.account_id = r.account_id
)
select * from released
