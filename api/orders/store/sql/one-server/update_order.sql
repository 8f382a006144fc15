update orders
set on_hold = $2, hold_reason = $3, sequence = $4, updated_at = $5
where order_id = $1
