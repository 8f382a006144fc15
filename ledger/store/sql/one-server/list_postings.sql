select account_id, sequence, transfer_id, amount_minor, currency, balance_minor, encode(hash, 'hex') as hash, created_at
from postings
where account_id = $1 and sequence < $2
order by sequence desc
limit $3
