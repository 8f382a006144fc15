-- What: what the merchant sends against a dispute: named fields and files.
-- Why: rows are only added; what was submitted must stay provable.
-- Lock: share row exclusive on disputes for the foreign key, for an instant, on an empty table.
create table evidence (
  evidence_id uuid not null,
  dispute_id text not null,
  user_id text not null,
  fields jsonb not null check (jsonb_typeof(fields) = 'object'),
  created_at timestamptz not null default now(),
  primary key (user_id, evidence_id),
  foreign key (user_id, dispute_id) references disputes (user_id, dispute_id)
);

create index evidence_dispute_id on evidence (dispute_id, created_at);

create table evidence_files (
  file_id uuid not null,
  evidence_id uuid not null,
  user_id text not null,
  name text not null check (length(name) between 1 and 255),
  content_type text not null check (length(content_type) between 1 and 127),
  size_bytes integer not null check (size_bytes > 0),
  sha256 bytea not null check (length(sha256) = 32),
  content bytea not null,
  primary key (user_id, file_id),
  foreign key (user_id, evidence_id) references evidence (user_id, evidence_id)
);

create index evidence_files_evidence_id on evidence_files (evidence_id);
