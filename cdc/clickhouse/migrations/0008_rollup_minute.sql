-- What: counts and sums per minute and everything that analytics groups by.
-- Why: not filled by a materialized view, which would count a copy of an event again. The sink rebuilds the minutes that
--      a batch touched from `events final`; the newest rebuild of a row stays. See docs/decisions.
create table if not exists rollup_minute (
  bucket DateTime('UTC'),
  type LowCardinality(String),
  status LowCardinality(String),
  verdict LowCardinality(String),
  provider LowCardinality(String),
  currency LowCardinality(String),
  events UInt64,
  amount_minor Int128 comment 'what the events said',
  after_amount_minor Int128 comment 'of the aggregates, after each event',
  firsts UInt64 comment 'events that began an aggregate',
  first_amount_minor Int128 comment 'of those aggregates',
  version UInt64 comment 'when the rebuild began, Unix ns'
) engine = ReplacingMergeTree(version)
partition by toYYYYMM(bucket)
order by (bucket, type, status, verdict, provider, currency)
ttl bucket + interval 400 day
