update cdc_positions
set confirmed_lsn = $2::pg_lsn, updated_at = now()
where slot_name = $1 and state = 'streaming'
