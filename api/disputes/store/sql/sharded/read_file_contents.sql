select f.evidence_id, f.name, f.content_type, f.content
from evidence_files f
join evidence e using (user_id, evidence_id)
where e.dispute_id = $1 and e.user_id = $2
order by f.file_id
