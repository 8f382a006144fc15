delete from payment_commands where command_id = $1
