-- $3: when it is due, in ms from now; $4: attempts that it has had.
update payment_commands
set run_at = now() + $3 * interval '1 millisecond', attempts = $4, last_error = $5, status = $6, leased_by = null, leased_until = null
where command_id = $1 and fence = $2 and status = 'open'
returning command_id
