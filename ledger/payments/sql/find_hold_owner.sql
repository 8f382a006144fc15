select payment_id from payments where hold_id = $1
