insert into cdc_dead_letters (slot_name, event_id, reason, envelope)
values ($1, $2, $3, $4)
on conflict (slot_name, event_id) do nothing
