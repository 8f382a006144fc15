-- What: the balance of every account after its newest posting.
-- Why: as for orders_latest. Legs that wait to be posted are not in it.
create table if not exists accounts_latest (
  account_id String,
  user_id String,
  balance_minor Nullable(Int64),
  currency LowCardinality(String),
  sequence UInt64,
  updated_at DateTime64(6, 'UTC')
) engine = ReplacingMergeTree(sequence)
order by account_id
settings fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000
