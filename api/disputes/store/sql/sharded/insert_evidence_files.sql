insert into evidence_files (file_id, evidence_id, user_id, name, content_type, size_bytes, sha256, content)
select file_id, $2, $6, name, content_type, length(content), sha256(content), content
from unnest($1::uuid[], $3::text[], $4::text[], $5::bytea[]) as f (file_id, name, content_type, content)
