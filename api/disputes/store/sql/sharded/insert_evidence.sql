insert into evidence (evidence_id, dispute_id, user_id, fields, created_at)
values ($1, $2, $5, $3, $4)
