-- What: an index on the order of dispute events.
-- Why: the history of some orders is read over all time (`GET /api/v1/events?order_ids=…`). The order's own events are
--      found by order_events_sequence; those of its disputes were filtered out of everybody's.
-- Lock: SHARE on dispute_events: writers wait while it is built. Build it concurrently before, where that is too long.
create index if not exists dispute_events_order_id on dispute_events (order_id, created_at, event_id);
