-- What: what change data capture needs in the database: the publication of the outbox, how far each reader of it has
--       come, and the events that its sink refused.
-- Why: only inserts are published, so that retention's deletes are no events. Partitions appear under their root's name
--      and schema. A reader writes its position here before it confirms it to its slot: a slot that is ahead of the
--      position was moved by somebody else, and the events in between would be missing for good.
-- Lock: SHARE UPDATE EXCLUSIVE on outbox, which blocks neither reads nor writes.
create publication lab_outbox for table outbox with (publish = 'insert', publish_via_partition_root = true);

create table cdc_positions (
  slot_name text primary key,
  -- Positions of another cluster mean nothing here; a restored dump brings them along.
  system_identifier text not null,
  -- creating: the slot may not exist yet; loading: rows from before the slot are read; streaming: the load is over.
  state text not null check (state in ('creating', 'loading', 'streaming')),
  confirmed_lsn pg_lsn,
  load_after uuid,
  load_until uuid,
  updated_at timestamptz not null default now()
);

create table cdc_dead_letters (
  slot_name text not null,
  event_id uuid not null,
  reason text not null,
  envelope text not null,
  created_at timestamptz not null default now(),
  primary key (slot_name, event_id)
);

grant select, insert, update, delete on cdc_positions to lab_cdc;
grant select, insert on cdc_dead_letters to lab_cdc;

-- Roles belong to the whole server: two databases of one server may change one at the same moment, hence the handler.
do $$
begin
  if not (select rolreplication from pg_roles where rolname = 'lab_cdc') then
    alter role lab_cdc replication;
  end if;
exception when others then
  if not (select rolreplication from pg_roles where rolname = 'lab_cdc') then
    raise;
  end if;
end
$$;
