select reference, order_id
from order_attempts
where reference = any ($1::text[])
