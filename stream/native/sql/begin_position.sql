insert into cdc_positions (slot_name, system_identifier, state)
values ($1, $2, 'creating')
on conflict (slot_name) do update
set system_identifier = excluded.system_identifier, state = excluded.state, confirmed_lsn = null, load_after = null,
    load_until = null, updated_at = now()
