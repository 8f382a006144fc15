select user_id
from disputes
where dispute_id = $1
