select coalesce(sum(amount_minor), 0)::text as captured_minor
from captures
where order_id = $1 and status in ('requested', 'completed')
