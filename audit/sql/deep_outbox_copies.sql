-- An event and its outbox row are written from one description: the payload is the event's data with what identifies the
-- event, and user and time are the same. Neither can be changed alone. Events that are older than the outbox keeps its
-- rows are left out by the join.
with events as materialized (
  select event_id, user_id, created_at,
    data || jsonb_build_object('kind', kind, 'order_id', order_id, 'provider', provider, 'provider_event_id', provider_event_id) as payload
  from order_events
  union all
  select event_id, user_id, created_at,
    data || jsonb_build_object('kind', kind, 'order_id', order_id, 'dispute_id', dispute_id, 'provider', provider,
      'provider_event_id', provider_event_id)
  from dispute_events
), copies as materialized (
  select event_id, aggregate_type, aggregate_id, sequence, payload, user_id, created_at, headers from outbox
), broken as (
  select o.aggregate_type || ' ' || o.aggregate_id || ' #' || o.sequence || ': the outbox row of event ' || event_id
    || ' is no copy of it' as example
  from events e join copies o using (event_id)
  where o.payload <> e.payload or o.user_id <> e.user_id or o.created_at <> e.created_at
    or coalesce(o.headers ->> 'request_id', '') = ''
)
select
  (select count(*) from events) as checked,
  (select count(*) from broken) as violations,
  array(select example from broken order by example limit 20) as examples
