-- What: what the rows of a partitioned database look like in a cluster that spreads them by user_id, and the fence that
--       ends the old database's life.
-- Why: in the cluster every row names a user. Here some don't: a delivery and its dedupe key belong to the owner of the
--      effect, found by the provider's event id, which no index of the events has. `effects` is that index, filled as
--      the events are copied. The images are what a row becomes; they are copied, compared and hashed, and nothing else.
-- Lock: none, everything is new.
create table conversion.effects (
  provider text not null,
  provider_event_id text not null,
  user_id text not null,
  primary key (provider, provider_event_id)
);

create view conversion.image_retention_settings as select * from public.retention_settings;
create view conversion.image_orders as select * from public.orders;
create view conversion.image_disputes as select * from public.disputes;
create view conversion.image_order_events as select * from public.order_events;
create view conversion.image_dispute_events as select * from public.dispute_events;
create view conversion.image_outbox as select * from public.outbox;

create view conversion.image_evidence as
select e.*, d.user_id from public.evidence e join public.disputes d using (dispute_id);

create view conversion.image_evidence_files as
select f.*, d.user_id
from public.evidence_files f
join public.evidence e using (evidence_id)
join public.disputes d using (dispute_id);

create view conversion.image_captures as
select c.*, o.user_id from public.captures c join public.orders o using (order_id);

-- A cluster has them at its coordinator, as they are.
create view conversion.image_users as select * from public.users;
create view conversion.image_sessions as select * from public.sessions;
create view conversion.image_login_throttles as select * from public.login_throttles;
create view conversion.image_security_events as select * from public.security_events;

create view conversion.image_order_attempts as select * from public.order_attempts;

-- What waits for its order lies with the user it names, and else under `#` and the name that it waits for.
create view conversion.image_parked_webhooks as
select p.*,
  coalesce(case when p.attempt_reference is null then p.event ->> 'userId' end, '#' || coalesce(p.attempt_reference, p.order_id)) as user_id
from public.parked_webhooks p;

create view conversion.image_quarantined_webhooks as
select '#' || q.provider_event_id as user_id, q.provider, q.provider_event_id, q.digest, q.reason, q.event, q.received_at,
  q.decision, q.decided_at, q.note
from public.quarantined_webhooks q;

-- A key lies where a repetition of its event is looked for: with the effect, and without one under the event's own id.
create view conversion.image_webhook_keys as
select k.*, coalesce(e.user_id, '#' || k.provider_event_id) as user_id
from public.webhook_keys k
left join conversion.effects e using (provider, provider_event_id);

-- Of a delivery without an effect of its own the user is not needed, and its body alone would tell.
create view conversion.image_webhook_deliveries as
select d.*,
  case when d.verdict in ('applied', 'stale') then coalesce(e.user_id, '#' || d.provider_event_id) else '#' || d.provider_event_id end as user_id
from public.webhook_deliveries d
left join conversion.effects e using (provider, provider_event_id);

-- The days of which a table has rows that retention has not dropped yet.
create function conversion.days_of(name text, time_column text, since timestamptz)
returns setof date
language plpgsql stable
as $$
begin
  return query execute format('select distinct (%1$I at time zone ''UTC'')::date from public.%2$I where %1$I >= $1 order by 1', time_column, name)
  using since;
end
$$;

-- Refuses every write from the commit of the caller's transaction on. SQLSTATE 25006 is what a server says that takes no
-- writes: the API answers 503 and the sender comes again. The fence outlives the conversion.
create function conversion.fence(new_home text)
returns void
language plpgsql
as $fence$
declare
  name text;
begin
  create schema conversion_fence;
  execute format(
    $f$create function conversion_fence.refuse_writes() returns trigger language plpgsql as $body$
       begin
         raise exception using errcode = 'read_only_sql_transaction', message = %L;
       end
       $body$$f$, 'this database was converted: its rows are at ' || new_home);
  for name in select table_name from conversion.tables order by lock_position loop
    execute format('create trigger conversion_fence before insert or update or delete or truncate on public.%I
      for each statement execute function conversion_fence.refuse_writes()', name);
  end loop;
end
$fence$;
