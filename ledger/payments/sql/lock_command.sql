-- Nothing where another process has become its owner, or its outcome is known.
select command_id from payment_commands where command_id = $1 and fence = $2 and status = 'open' for update
