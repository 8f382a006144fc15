select
  (select count(*) from evidence where dispute_id = $1 and user_id = $2)::integer as entries,
  count(f.file_id)::integer as files,
  coalesce(sum(f.size_bytes), 0)::integer as bytes
from evidence_files f
join evidence e using (user_id, evidence_id)
where e.dispute_id = $1 and e.user_id = $2
