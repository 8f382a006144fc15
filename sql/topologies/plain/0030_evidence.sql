-- What: what the merchant sends against a dispute: named fields and files.
-- Why: rows are only added; what was submitted must stay provable.
-- Lock: share row exclusive on disputes for the foreign key, for an instant, on an empty table.
create table evidence (
  evidence_id uuid primary key,
  dispute_id text not null references disputes (dispute_id),
  fields jsonb not null check (jsonb_typeof(fields) = 'object'),
  created_at timestamptz not null default now()
);

create index evidence_dispute_id on evidence (dispute_id, created_at);

create table evidence_files (
  file_id uuid primary key,
  evidence_id uuid not null references evidence (evidence_id),
  name text not null check (length(name) between 1 and 255),
  content_type text not null check (length(content_type) between 1 and 127),
  size_bytes integer not null check (size_bytes > 0),
  sha256 bytea not null check (length(sha256) = 32),
  content bytea not null
);

create index evidence_files_evidence_id on evidence_files (evidence_id);
