-- What: run_maintenance() removes expired rows: it makes the daily partitions of the coming days and drops expired ones
--       where a table is partitioned, and deletes one batch where it is not. ensure_partitions() makes the partitions
--       of any range, default_partition_rows() counts rows that found no partition.
-- Why: pg_partman does the work wherever the server has it (4.7 and 5.x: named parameters serve both). Where it does
--      not, as with embedded PostgreSQL, the same functions do it themselves, with pg_partman 5's names.
--      The default partition only guards against loss: a row in it is an alarm.
-- Lock: access exclusive on a parent for an instant per partition made or dropped, given up after lock_timeout; row
--       locks on what is deleted.
create function partitioned_tables()
returns setof text
language sql stable
as $$
  select c.relname::text from pg_class c where c.relkind = 'p' and c.relnamespace = 'public'::regnamespace order by 1
$$;

create function has_partman()
returns boolean
language sql stable
as $$
  select exists (select from pg_extension where extname = 'pg_partman')
$$;

create function ensure_partitions(parent text, from_day date, to_day date)
returns integer
language plpgsql security definer set search_path = public, pg_temp set timezone = 'UTC' set lock_timeout = '5s'
as $$
declare
  day date;
  partition_name text;
  made integer := 0;
begin
  if not exists (select from partitioned_tables() t where t = parent) then
    return 0;
  end if;
  for day in select generate_series(from_day, to_day, interval '1 day')::date loop
    continue when exists (
      select from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = parent::regclass
        and pg_get_expr(c.relpartbound, c.oid) like format('FOR VALUES FROM (''%s %%', to_char(day, 'YYYY-MM-DD'))
    );
    begin
      if has_partman() then
        perform partman.create_partition_time(
          p_parent_table := 'public.' || parent, p_partition_times := array[day::timestamptz]
        );
      else
        partition_name := parent || to_char(day, '"_p"YYYYMMDD');
        execute format(
          'create table %I partition of %I for values from (%L) to (%L)',
          partition_name, parent, day::timestamptz, (day + 1)::timestamptz
        );
      end if;
      made := made + 1;
    exception when check_violation then
      raise warning 'rows of % wait in the default partition of %: move them, then run maintenance again', day, parent;
    end;
  end loop;
  return made;
end
$$;

create function drop_expired_partitions(parent text, retention interval)
returns integer
language plpgsql security definer set search_path = public, pg_temp set timezone = 'UTC' set lock_timeout = '5s'
as $$
declare
  partition_name text;
  dropped integer := 0;
begin
  for partition_name in
    select c.relname
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = parent::regclass
      and pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT'
      and substring(pg_get_expr(c.relpartbound, c.oid) from 'TO \(''([^'']+)''\)')::timestamptz <= now() - retention
    order by c.relname
  loop
    execute format('drop table %I', partition_name);
    dropped := dropped + 1;
  end loop;
  return dropped;
end
$$;

create function run_maintenance(batch_rows integer default 10000)
returns table (table_name text, created integer, dropped integer, deleted bigint)
language plpgsql security definer set search_path = public, pg_temp set timezone = 'UTC'
as $$
declare
  setting record;
  today date := (now() at time zone 'UTC')::date;
begin
  for setting in select s.* from retention_settings s where to_regclass(s.table_name) is not null order by s.table_name loop
    table_name := setting.table_name;
    created := 0;
    dropped := 0;
    deleted := 0;
    if exists (select from partitioned_tables() t where t = setting.table_name) then
      if has_partman() then
        perform partman.run_maintenance(p_parent_table := 'public.' || setting.table_name);
      end if;
      created := ensure_partitions(setting.table_name, today - 1, today + setting.premake_days);
      dropped := drop_expired_partitions(setting.table_name, setting.retention);
    else
      execute format(
        'delete from %1$I where ctid = any (array(select ctid from %1$I where %2$I < now() - $1 limit $2))',
        setting.table_name, setting.time_column
      ) using setting.retention, batch_rows;
      get diagnostics deleted = row_count;
    end if;
    return next;
  end loop;
end
$$;

create function default_partition_rows()
returns table (table_name text, row_count bigint)
language plpgsql stable security definer set search_path = public, pg_temp
as $$
begin
  for table_name in select partitioned_tables() loop
    execute format('select count(*) from %I', table_name || '_default') into row_count;
    return next;
  end loop;
end
$$;

do $$
declare
  setting record;
begin
  set local timezone = 'UTC';
  if exists (select from partitioned_tables()) and exists (select from pg_available_extensions where name = 'pg_partman') then
    create schema partman;
    create extension pg_partman schema partman;
  end if;
  for setting in select s.* from retention_settings s join partitioned_tables() t on t = s.table_name loop
    if has_partman() then
      perform partman.create_parent(
        p_parent_table := 'public.' || setting.table_name,
        p_control := setting.time_column,
        p_type := case when (select extversion from pg_extension where extname = 'pg_partman') like '4.%' then 'native' else 'range' end,
        p_interval := case when (select extversion from pg_extension where extname = 'pg_partman') like '4.%' then 'daily' else '1 day' end,
        p_premake := setting.premake_days
      );
      update partman.part_config
      set retention = setting.retention::text, retention_keep_table = false, infinite_time_partitions = true
      where parent_table = 'public.' || setting.table_name;
    else
      execute format('create table %I partition of %I default', setting.table_name || '_default', setting.table_name);
    end if;
  end loop;
  perform run_maintenance();
end
$$;
