select sequence, kind, created_at, data
from dispute_events
where dispute_id = $1
order by sequence
