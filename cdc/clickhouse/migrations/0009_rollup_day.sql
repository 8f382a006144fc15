-- What: as rollup_minute, per day.
-- Why: rebuilt from rollup_minute, where a day is some thousand rows.
create table if not exists rollup_day (
  bucket Date,
  type LowCardinality(String),
  status LowCardinality(String),
  verdict LowCardinality(String),
  provider LowCardinality(String),
  currency LowCardinality(String),
  events UInt64,
  amount_minor Int128,
  after_amount_minor Int128,
  firsts UInt64,
  first_amount_minor Int128,
  version UInt64
) engine = ReplacingMergeTree(version)
order by (bucket, type, status, verdict, provider, currency)
ttl bucket + interval 400 day
