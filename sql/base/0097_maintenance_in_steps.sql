-- What: run_maintenance() becomes a procedure that commits after each step, and partitions may be weeks or months.
--       A step makes the partitions of one table, detaches one that has expired, drops one that is detached, or deletes
--       one batch.
-- Why: as one transaction it held an access exclusive lock on every parent until the last batch was deleted, and took
--      locks in another order than those who count the default partitions.
--      Partitions are made beside the table and attached, which locks no reader or writer of other days out. Detaching
--      concurrently is refused by PostgreSQL where a table has a default partition, as all of these have: one partition
--      a transaction then, with a lock that is given up soon, because others queue behind it. Dropping what is detached
--      locks nobody out, however large it is.
-- Lock: access exclusive on retention_settings for an instant; otherwise none, functions are replaced.
alter table retention_settings add column partition_interval text not null default 'day';
-- Citus takes a constraint only by itself and by name.
alter table retention_settings
  add constraint retention_settings_partition_interval_check check (partition_interval in ('day', 'week', 'month'));

drop function run_maintenance(integer);
drop function drop_expired_partitions(text, interval);

-- The attached partitions of a table, the default one aside.
create function partition_bounds(parent text)
returns table (partition_name text, lower_bound timestamptz, upper_bound timestamptz)
language sql stable set search_path = public, pg_temp
as $$
  select c.relname::text, substring(b.expression from 'FROM \(''([^'']+)''\)')::timestamptz,
    substring(b.expression from 'TO \(''([^'']+)''\)')::timestamptz
  from pg_inherits i
  join pg_class c on c.oid = i.inhrelid
  cross join lateral (select pg_get_expr(c.relpartbound, c.oid) as expression) b
  where i.inhparent = to_regclass(format('public.%I', parent)) and b.expression <> 'DEFAULT'
$$;

-- One who maintains a table at a time: the others find the work done. Given up after lock_timeout as any lock.
create function lock_for_maintenance(parent text)
returns void
language sql set search_path = public, pg_temp
as $$
  select pg_advisory_xact_lock(hashtextextended('lab maintenance of ' || parent, 0))
$$;

create function make_partition(parent text, lower_bound timestamptz, upper_bound timestamptz)
returns void
language plpgsql set search_path = public, pg_temp set timezone = 'UTC'
as $$
declare
  partition_name text := parent || to_char(lower_bound, '"_p"YYYYMMDD');
begin
  if has_partman() and upper_bound = lower_bound + (select ('1 ' || s.partition_interval)::interval from retention_settings s where s.table_name = parent) then
    perform partman.create_partition_time(p_parent_table := 'public.' || parent, p_partition_times := array[lower_bound]);
  elsif exists (select from pg_extension where extname = 'citus') then
    -- Citus spreads a partition out as it is made; a table of its own it would have to move.
    execute format('create table %I partition of %I for values from (%L) to (%L)', partition_name, parent, lower_bound, upper_bound);
  else
    execute format('create table %I (like %I including all)', partition_name, parent);
    execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, partition_name, lower_bound, upper_bound);
  end if;
end
$$;

-- Makes what no partition covers yet of the days, weeks or months from one day to another, in the caller's time for
-- locks. @returns how many.
create function cover_days(parent text, from_day date, to_day date)
returns integer
language plpgsql set search_path = public, pg_temp set timezone = 'UTC'
as $$
declare
  unit text := (select s.partition_interval from retention_settings s where s.table_name = parent);
  step interval := '1 ' || coalesce(unit, 'day');
  gap tstzrange;
  made integer := 0;
begin
  if not exists (select from partitioned_tables() t where t = parent) then
    return 0;
  end if;
  perform lock_for_maintenance(parent);
  for gap in
    select unnest(tstzmultirange(tstzrange(slot, slot + step)) - c.covered)
    from (select coalesce(range_agg(tstzrange(b.lower_bound, b.upper_bound)), '{}') as covered from partition_bounds(parent) b) c
    cross join generate_series(date_trunc(coalesce(unit, 'day'), from_day::timestamptz), to_day::timestamptz, step) slot
  loop
    begin
      perform make_partition(parent, lower(gap), upper(gap));
      made := made + 1;
    exception when check_violation then
      raise warning 'rows of % wait in the default partition of %: move them, then run maintenance again', lower(gap)::date, parent;
    end;
  end loop;
  return made;
end
$$;

create or replace function ensure_partitions(parent text, from_day date, to_day date)
returns integer
language sql security definer set search_path = public, pg_temp set timezone = 'UTC' set lock_timeout = '5s'
as $$
  select cover_days(parent, from_day, to_day)
$$;

-- The partitions from yesterday to the days that are made ahead.
create function premake_partitions(parent text)
returns integer
language plpgsql security definer set search_path = public, pg_temp set timezone = 'UTC' set lock_timeout = '100ms'
as $$
declare
  today date := (now() at time zone 'UTC')::date;
  before bigint := (select count(*) from partition_bounds(parent));
  made integer;
begin
  perform lock_for_maintenance(parent);
  made := cover_days(parent, today - 1, today + (select s.premake_days from retention_settings s where s.table_name = parent));
  if has_partman() and exists (select from partitioned_tables() t where t = parent) then
    perform partman.run_maintenance(p_parent_table := 'public.' || parent);
    made := (select count(*) from partition_bounds(parent)) - before;
  end if;
  return made;
end
$$;

-- Detaches the oldest partition that has expired. The comment says whose it was, in case it is never dropped.
-- @returns its name, or null where there is none.
create function detach_expired_partition(parent text)
returns text
language plpgsql security definer set search_path = public, pg_temp set timezone = 'UTC' set lock_timeout = '100ms'
as $$
declare
  expired record;
begin
  perform lock_for_maintenance(parent);
  select b.* into expired
  from partition_bounds(parent) b
  join retention_settings s on s.table_name = parent
  where b.upper_bound <= now() - s.retention
  order by b.upper_bound
  limit 1;
  if not found then
    return null;
  end if;
  execute format('alter table %I detach partition %I', parent, expired.partition_name);
  execute format(
    'comment on table %I is %L', expired.partition_name,
    jsonb_build_object('lab_partition_of', parent, 'from', expired.lower_bound, 'to', expired.upper_bound, 'expired', true)
  );
  return expired.partition_name;
end
$$;

-- Drops one table that was detached because it had expired, and none that an archive has left.
-- @returns its name, or null where there is none.
create function drop_detached_partition(parent text)
returns text
language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '100ms'
as $$
declare
  detached text;
begin
  perform lock_for_maintenance(parent);
  select c.relname into detached
  from pg_class c
  cross join lateral (
    select case when obj_description(c.oid, 'pg_class') like '{%"lab_partition_of":%' then obj_description(c.oid, 'pg_class')::jsonb end as note
  ) n
  where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and not c.relispartition
    and note ->> 'lab_partition_of' = parent and (note ->> 'expired')::boolean
  order by c.relname
  limit 1;
  if detached is not null then
    execute format('drop table %I', detached);
  end if;
  return detached;
end
$$;

-- Deletes one batch of the expired rows of a table that is not partitioned. @returns how many.
create function delete_expired(expiring text, batch_rows integer)
returns bigint
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  setting retention_settings%rowtype;
  deleted bigint;
begin
  select s.* into strict setting from retention_settings s where s.table_name = expiring;
  if exists (select from partitioned_tables() t where t = expiring) then
    return 0;
  end if;
  execute format(
    'delete from %1$I where ctid = any (array(select ctid from %1$I where %2$I < now() - $1 limit $2))',
    expiring, setting.time_column
  ) using setting.retention, batch_rows;
  get diagnostics deleted = row_count;
  return deleted;
end
$$;

-- Runs one step, a query with one text, and commits. A lock that does not come is waited for no longer than the step
-- says; the step is tried again after a growing pause, in which nothing is locked. `done` is false when it never came.
create procedure maintenance_step(step text, inout answer text, inout done boolean)
language plpgsql
as $$
begin
  done := false;
  answer := null;
  for attempt in 1..10 loop
    begin
      execute step into answer;
      done := true;
    exception when lock_not_available or deadlock_detected then
      null;
    end;
    commit;
    exit when done;
    perform pg_sleep(least(0.05 * 2 ^ attempt, 2));
  end loop;
end
$$;

-- Makes partitions, removes expired ones, and deletes expired rows last. Call it outside of a transaction.
-- `report` becomes an object for each table: table, created, dropped, deleted; postponed, where a lock never came; more,
-- where rows are left to be deleted, because one call deletes 20 batches of a table at the most.
create procedure run_maintenance(batch_rows integer default 1000, inout report jsonb default null)
language plpgsql
as $$
declare
  names text[] := array(
    select s.table_name from public.retention_settings s where to_regclass('public.' || s.table_name) is not null order by s.table_name
  );
  name text;
  answer text;
  done boolean;
  postponed boolean;
  created integer;
  dropped integer;
  deleted bigint;
begin
  report := '[]';
  foreach name in array names loop
    call public.maintenance_step(format('select public.premake_partitions(%L)', name), answer, done);
    created := coalesce(answer::integer, 0);
    postponed := not done;
    loop
      call public.maintenance_step(format('select public.detach_expired_partition(%L)', name), answer, done);
      postponed := postponed or not done;
      exit when answer is null;
    end loop;
    dropped := 0;
    loop
      call public.maintenance_step(format('select public.drop_detached_partition(%L)', name), answer, done);
      postponed := postponed or not done;
      exit when answer is null;
      dropped := dropped + 1;
    end loop;
    report := report || jsonb_build_object(
      'table', name, 'created', created, 'dropped', dropped, 'deleted', 0, 'postponed', postponed, 'more', false
    );
  end loop;
  for n in 1..cardinality(names) loop
    deleted := 0;
    for batch in 1..20 loop
      call public.maintenance_step(format('select public.delete_expired(%L, %s)', names[n], batch_rows), answer, done);
      deleted := deleted + coalesce(answer::bigint, 0);
      exit when coalesce(answer::bigint, 0) < batch_rows;
      -- Others get their turn at the disk.
      perform pg_sleep(0.02);
    end loop;
    report := jsonb_set(report, array[(n - 1)::text, 'deleted'], to_jsonb(deleted));
    report := jsonb_set(report, array[(n - 1)::text, 'more'], to_jsonb(coalesce(answer::bigint, 0) >= batch_rows));
  end loop;
end
$$;

-- Expired partitions are detached and dropped here, in steps, and no longer by pg_partman within its own transaction.
do $$
begin
  if has_partman() then
    update partman.part_config set retention = null;
  end if;
end
$$;

revoke execute on function
  lock_for_maintenance(text), cover_days(text, date, date), make_partition(text, timestamptz, timestamptz), premake_partitions(text),
  detach_expired_partition(text), drop_detached_partition(text), delete_expired(text, integer)
from public;
revoke execute on procedure maintenance_step(text, text, boolean), run_maintenance(integer, jsonb) from public;
grant execute on function premake_partitions(text), detach_expired_partition(text), drop_detached_partition(text), delete_expired(text, integer) to lab_api, lab_worker;
grant execute on procedure maintenance_step(text, text, boolean), run_maintenance(integer, jsonb) to lab_api, lab_worker;
