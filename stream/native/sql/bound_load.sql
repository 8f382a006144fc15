update cdc_positions
set load_until = (select event_id from outbox order by event_id desc limit 1), updated_at = now()
where slot_name = $1
returning load_until
