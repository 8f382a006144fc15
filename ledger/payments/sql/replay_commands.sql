-- $1: the command, or null for all that were given up. The one attempt that is left of its past says that it was sent.
update payment_commands
set status = 'open', attempts = 1, run_at = now(), last_error = null
where status = 'dead' and ($1::uuid is null or command_id = $1)
returning command_id
