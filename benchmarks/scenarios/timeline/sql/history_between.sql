-- As the API asks it, with the times of the dispute's own row.
select sequence, kind, created_at, data
from dispute_events
where dispute_id = $1 and created_at between $2 and $3
order by sequence
