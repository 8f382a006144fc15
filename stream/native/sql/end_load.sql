update cdc_positions
set state = 'streaming', updated_at = now()
where slot_name = $1 and state = 'loading'
