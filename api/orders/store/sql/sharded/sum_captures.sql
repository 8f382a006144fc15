select coalesce(sum(amount_minor), 0)::text as captured_minor
from captures
where order_id = $1 and user_id = $2 and status in ('requested', 'completed')
