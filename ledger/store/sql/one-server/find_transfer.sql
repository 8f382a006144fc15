select transfer_id, kind, from_account_id, to_account_id, amount_minor, currency, to_amount_minor, to_currency, rate,
  reference, created_at
from transfers
where transfer_id = $1
