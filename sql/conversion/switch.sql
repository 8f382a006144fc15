-- What: functions for the switch and for what follows it.
-- Why: the switch is one transaction: before it every session sees the plain tables, after it the partitioned ones. An API
--      that still runs as plain goes on working: claim_keys() writes the dedupe keys it does not know of, and an interim
--      index serves its look at the deliveries. finish() removes both once every API runs as partitioned.
-- Lock: access exclusive on the tables concerned, taken by the caller, for the time of switch_tables().

-- The index that a plain API's duplicate check needs; built while the table is still empty.
create function conversion.add_interim_index()
returns void
language sql
as $$
  create index webhook_deliveries_interim_key on conversion.webhook_deliveries (provider, provider_event_id) where verdict not in ('duplicate', 'quarantined')
$$;

-- Writes the dedupe keys of deliveries that had an effect, where the API has not written them itself. A key that
-- another transaction owns fails the statement as a unique index would; the API then looks again and finds a duplicate.
-- The rows that this transaction wrote are told by their xmin, so APIs of both topologies may run side by side.
create function conversion.claim_keys()
returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  filled bigint;
  taken record;
begin
  insert into public.webhook_keys (provider, provider_event_id, body_sha256, received_at)
  select provider, provider_event_id, body_sha256, received_at from new_rows
  where verdict not in ('duplicate', 'quarantined')
  order by provider, provider_event_id
  on conflict do nothing;
  get diagnostics filled = row_count;
  if filled > 0 then
    perform nextval('conversion.keys_filled');
  end if;
  select k.provider, k.provider_event_id into taken
  from new_rows n
  join public.webhook_keys k on k.provider = n.provider and k.provider_event_id = n.provider_event_id
  where n.verdict not in ('duplicate', 'quarantined') and k.xmin <> pg_current_xact_id()::xid
  limit 1;
  if found then
    raise unique_violation using message = format('the key (%s, %s) is taken', taken.provider, taken.provider_event_id), constraint = 'webhook_keys_pkey';
  end if;
  return null;
end
$$;

-- Gives `target` the owner and the rights of `source`.
create function conversion.copy_rights(source regclass, target regclass)
returns void
language plpgsql
as $$
declare
  granted record;
begin
  execute format('alter table %s owner to %s', target, (select relowner::regrole from pg_class where oid = source));
  for granted in
    select a.grantee, a.privilege_type, a.is_grantable, '' as column_list
    from pg_class c, aclexplode(c.relacl) a where c.oid = source and a.grantee <> c.relowner
    union all
    select a.grantee, a.privilege_type, a.is_grantable, format(' (%I)', t.attname)
    from pg_class c join pg_attribute t on t.attrelid = c.oid, aclexplode(t.attacl) a
    where c.oid = source and a.grantee <> c.relowner
  loop
    execute format('grant %s%s on %s to %s%s', granted.privilege_type, granted.column_list, target,
      case when granted.grantee = 0 then 'public' else granted.grantee::regrole::text end,
      case when granted.is_grantable then ' with grant option' else '' end);
  end loop;
end
$$;

-- Puts the partitioned tables in the place of the plain ones. The caller holds access exclusive locks on the latter and
-- has brought over every change that was logged. `migrations` maps the names of the migrations that differ to their new SHA-256.
create function conversion.switch_tables(migrations jsonb)
returns void
language plpgsql
as $$
declare
  t record;
  publication record;
begin
  for t in select table_name from conversion.tables order by lock_position loop
    perform conversion.copy_rights(format('public.%I', t.table_name), format('conversion.%I', t.table_name));
    for publication in
      select p.pubname from pg_publication_rel r join pg_publication p on p.oid = r.prpubid
      where r.prrelid = format('public.%I', t.table_name)::regclass
    loop
      execute format('alter publication %I drop table public.%I', publication.pubname, t.table_name);
      execute format('alter publication %I set (publish_via_partition_root = true)', publication.pubname);
      execute format('alter publication %I add table conversion.%I', publication.pubname, t.table_name);
    end loop;
    execute format('alter table public.%I set schema conversion_source', t.table_name);
    execute format('alter table conversion.%I set schema public', t.table_name);
  end loop;
  execute format('alter table conversion.webhook_keys owner to %s', (select relowner::regrole from pg_class where oid = 'public.webhook_deliveries'::regclass));
  alter table conversion.webhook_keys set schema public;
  grant select on public.webhook_keys to lab_api, lab_worker, lab_reader;
  grant insert on public.webhook_keys to lab_api;
  create trigger conversion_claim_keys after insert on public.webhook_deliveries
    referencing new table as new_rows for each statement execute function conversion.claim_keys();
  if public.has_partman() then
    update partman.part_config set parent_table = replace(parent_table, 'conversion.', 'public.') where parent_table like 'conversion.%';
  end if;
  update public.schema_migrations m set sha256 = migrations ->> m.name where migrations ? m.name;
  update conversion.state set phase = 'switched', switched_at = clock_timestamp();
end
$$;

-- Ends the interim. What the conversion leaves besides is dropped by the caller, in a transaction of its own.
create function conversion.finish()
returns void
language sql
as $$
  drop trigger if exists conversion_claim_keys on public.webhook_deliveries;
  drop index if exists public.webhook_deliveries_interim_key;
$$;
