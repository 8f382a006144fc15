select event_id, aggregate_type, aggregate_id, user_id, sequence::text as sequence, event_type, payload::text as payload,
       headers::text as headers, created_at::text as created_at
from outbox
where event_id > $1 and event_id <= $2
order by event_id
limit $3
