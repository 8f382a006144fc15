update cdc_positions
set load_after = $2, updated_at = now()
where slot_name = $1 and state = 'loading'
