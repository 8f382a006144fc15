select
  (select count(*) from evidence where dispute_id = $1)::integer as entries,
  count(f.file_id)::integer as files,
  coalesce(sum(f.size_bytes), 0)::integer as bytes
from evidence_files f
join evidence e using (evidence_id)
where e.dispute_id = $1
