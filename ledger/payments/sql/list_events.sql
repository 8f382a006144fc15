select event_id, payment_id, user_id, sequence, kind, data, created_at
from payment_events
where payment_id = $1 and sequence > $2
order by sequence
limit $3
