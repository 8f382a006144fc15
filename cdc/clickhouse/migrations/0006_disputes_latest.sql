-- What: the state of every dispute after its newest event.
-- Why: as for orders_latest.
create table if not exists disputes_latest (
  dispute_id String,
  order_id String,
  user_id String,
  status LowCardinality(String),
  reason LowCardinality(String),
  amount_minor Nullable(Int64),
  currency LowCardinality(String),
  sequence UInt64,
  updated_at DateTime64(6, 'UTC')
) engine = ReplacingMergeTree(sequence)
order by dispute_id
settings fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000
