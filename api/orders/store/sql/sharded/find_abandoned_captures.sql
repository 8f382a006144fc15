select c.order_id, c.idempotency_key, c.amount_minor, c.currency
from captures c
join orders o using (user_id, order_id)
where c.status = 'requested'
  and c.created_at < $1
  and coalesce(c.leased_until, '-infinity') < $2
  and not o.on_hold
order by c.created_at
limit $3
