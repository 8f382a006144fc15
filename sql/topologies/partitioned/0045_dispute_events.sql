-- What: an index on the order of dispute events.
-- Why: the history of some orders is read over all time (`GET /api/v1/events?order_ids=…`). The order's own events are
--      found by order_events_sequence; those of its disputes were filtered out of everybody's.
-- Lock: SHARE on dispute_events and its partitions: writers wait while it is built. Where that is too long, build it before:
--      create the index on each partition concurrently, then on the parent, which takes them over.
create index if not exists dispute_events_order_id on dispute_events (order_id, created_at, event_id);
