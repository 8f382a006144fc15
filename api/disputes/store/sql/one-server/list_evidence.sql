select e.evidence_id, e.dispute_id, e.fields, e.created_at,
  coalesce(
    (
      select jsonb_agg(
        jsonb_build_object(
          'file_id', f.file_id, 'name', f.name, 'content_type', f.content_type, 'size_bytes', f.size_bytes,
          'sha256', encode(f.sha256, 'hex')
        )
        order by f.file_id
      )
      from evidence_files f
      where f.evidence_id = e.evidence_id
    ),
    '[]'
  ) as files
from evidence e
where e.dispute_id = $1
order by e.created_at, e.evidence_id
