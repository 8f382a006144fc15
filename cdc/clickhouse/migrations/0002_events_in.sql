-- What: where the sink inserts. It stores nothing; the view 0003 takes what comes.
-- Why: the payload stays the JSON text of the source until ClickHouse reads it, once and natively. A default per column
--      would read it once per column.
create table if not exists events_in (
  event_id UUID,
  type LowCardinality(String),
  aggregate_type LowCardinality(String),
  aggregate_id String,
  user_id String,
  sequence UInt64,
  occurred_at DateTime64(6, 'UTC'),
  payload String,
  sent_at_ms Nullable(Int64),
  accepted_at_ms Nullable(Int64),
  committed_at_ms Nullable(Int64),
  read_at_ms Nullable(Int64),
  published_at_ms Nullable(Int64)
) engine = Null
