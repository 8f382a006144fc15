insert into evidence (evidence_id, dispute_id, fields, created_at)
values ($1, $2, $3, $4)
