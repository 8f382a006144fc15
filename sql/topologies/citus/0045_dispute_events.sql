-- What: an index on the order of dispute events.
-- Why: the history of some orders is read over all time (`GET /api/v1/events?order_ids=…`). The order's own events are
--      found by order_events_sequence; those of its disputes were filtered out of everybody's.
-- Lock: none, the table is empty before 0090_distribute.sql; on one that is in use, SHARE on dispute_events and its shards.
create index if not exists dispute_events_order_id on dispute_events (order_id, created_at, event_id);
