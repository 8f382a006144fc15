-- What: the state of every order after its newest event.
-- Why: the row with the highest sequence stays, in whatever order and however often events arrive. A stale event
--      carries the state that it did not change.
create table if not exists orders_latest (
  order_id String,
  user_id String,
  status LowCardinality(String),
  amount_minor Nullable(Int64),
  currency LowCardinality(String),
  sequence UInt64,
  updated_at DateTime64(6, 'UTC')
) engine = ReplacingMergeTree(sequence)
order by order_id
settings fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000
