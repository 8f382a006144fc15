-- Refunds of this user that are under way and come back to the account.
select payment_id
from payments
where user_id = $1 and account_id = $2 and refunding_minor > 0
limit 1
