insert into payment_commands (command_id, payment_id, operation, run_at, created_at) values ($1, $2, $3, now(), now())
