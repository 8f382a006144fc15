-- A provider says that there is news. A lease that is held is left alone.
update payment_commands set run_at = least(run_at, now())
where command_id = $1 and status = 'open'
returning command_id
