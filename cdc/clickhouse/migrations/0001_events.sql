-- What: every domain event once. Several copies may be stored for a while; `final` reads one of each.
-- Why: change data capture delivers at least once, in chunks that differ from one delivery to the next, so the table
--      itself has to recognise copies: by the event within its aggregate. The minute comes first in the key because
--      most questions are about a span of time; copies share it, as they share everything that the source wrote.
--      Months as partitions: one batch must never touch many, and they leave as a whole.
create table if not exists events (
  event_id UUID,
  type LowCardinality(String),
  aggregate_type LowCardinality(String),
  aggregate_id String,
  user_id String,
  sequence UInt64,
  occurred_at DateTime64(6, 'UTC'),
  order_id String,
  provider LowCardinality(String) comment 'empty for what the merchant did',
  status LowCardinality(String) comment 'what the event said; empty where it said none',
  verdict LowCardinality(String) comment 'applied or stale; empty for what the merchant did',
  amount_minor Nullable(Int64) comment 'what the event said',
  currency LowCardinality(String) comment 'of the event, or else of its aggregate; empty where neither is known',
  after_status LowCardinality(String) comment 'of the aggregate, after the event',
  after_amount_minor Nullable(Int64),
  after_reason LowCardinality(String) comment 'of the dispute, after the event',
  payload String codec(ZSTD(1)),
  sent_at Nullable(DateTime64(3, 'UTC')),
  accepted_at Nullable(DateTime64(3, 'UTC')),
  committed_at Nullable(DateTime64(3, 'UTC')),
  read_at Nullable(DateTime64(3, 'UTC')),
  published_at Nullable(DateTime64(3, 'UTC')),
  sunk_at DateTime64(3, 'UTC'),
  index aggregate_id aggregate_id type bloom_filter granularity 4
) engine = ReplacingMergeTree(sequence)
partition by toYYYYMM(occurred_at)
order by (toStartOfMinute(occurred_at), aggregate_type, aggregate_id, event_id)
ttl toDateTime(occurred_at) + interval 400 day
settings fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000
