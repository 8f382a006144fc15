-- What: counts and sums per minute and everything that analytics groups by.
-- Why: not filled by a materialized view, which would count a copy of an event again. The sink rebuilds the minutes that
--      a batch touched from `events final`; the newest rebuild of a row stays. See docs/decisions.
create table if not exists rollup_minute (
  minute DateTime('UTC'),
  type LowCardinality(String),
  status LowCardinality(String),
  verdict LowCardinality(String),
  provider LowCardinality(String),
  currency LowCardinality(String),
  events UInt64,
  amount_minor Int128 comment 'what the events said',
  after_amount_minor Int128 comment 'of the aggregates, after each event',
  version UInt64 comment 'when the rebuild began, Unix ns'
) engine = ReplacingMergeTree(version)
partition by toYYYYMM(minute)
order by (minute, type, status, verdict, provider, currency)
ttl minute + interval 400 day
