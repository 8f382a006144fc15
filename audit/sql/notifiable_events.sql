select event_id, event_type, aggregate_id, user_id, sequence::text as sequence, payload, created_at
from outbox
where event_type = any ($1)
  and created_at >= now() - (select retention from retention_settings where table_name = 'outbox')
  and (user_id = any ($2) or $3)
