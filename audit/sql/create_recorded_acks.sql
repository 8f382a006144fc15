create temporary table recorded_acks (
  provider text not null,
  provider_event_id text not null,
  body_sha256 bytea not null,
  status integer not null,
  verdict text
)
