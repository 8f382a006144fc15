select order_id, user_id, waiting, attempt_of
from order_owners
where order_id = any ($1::text[])
