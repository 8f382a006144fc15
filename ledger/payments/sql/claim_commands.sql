-- $1: whose lease, $2: its length in ms, $3: most commands. The server's clock counts, since those of the workers differ.
update payment_commands c
set attempts = c.attempts + 1,
  fence = c.fence + 1,
  leased_by = $1,
  leased_until = now() + $2 * interval '1 millisecond'
from (
  select command_id
  from payment_commands
  where status = 'open' and run_at <= now() and (leased_until is null or leased_until <= now())
  order by run_at
  limit $3
  for update skip locked
) due
where c.command_id = due.command_id
returning c.command_id, c.payment_id, c.operation, c.status, c.attempts, c.fence, c.leased_by, c.leased_until, c.run_at,
  c.last_error, c.created_at
