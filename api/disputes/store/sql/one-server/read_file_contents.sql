select f.evidence_id, f.name, f.content_type, f.content
from evidence_files f
join evidence e using (evidence_id)
where e.dispute_id = $1
order by f.file_id
