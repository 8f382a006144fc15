select e.dispute_id, e.created_at, d.amount_minor
from dispute_events e
join disputes d on d.dispute_id = e.dispute_id
where e.kind = 'evidence_added'
  and e.created_at >= $1
  and e.created_at < $2
  and d.status = 'lost'
  and d.reason = 'fraud'
