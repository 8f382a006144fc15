-- What: functions that build the partitions of the new tables. The new parents are built in `conversion` under their
--       final names, so that every index and constraint is named as a fresh migration names it; the tables they replace
--       wait in `conversion_source` until the end.
-- Why: partitions stand in `public` under their final names from the beginning, because moving hundreds of them would
--      make the switch long. Only the parents change their schema there.
-- Lock: none, everything is new.
create schema conversion_source;

-- Counts the statements in which the interim trigger had to write a key, because the API did not: see claim_keys().
create sequence conversion.keys_filled;

-- Registers one table, and returns the columns that name its rows. Its new parent must exist in `conversion` already.
create function conversion.add_table(name text, time_column text, lock_position integer)
returns text[]
language plpgsql
as $$
declare
  source regclass := format('public.%I', name);
  key_columns text[] := conversion.key_of(source);
  row_columns text[] := case when time_column = any (key_columns) then key_columns else key_columns || time_column end;
begin
  if conversion.columns_of(source) <> conversion.columns_of(format('conversion.%I', name)) then
    raise exception 'the columns of % differ from those of its partitioned form', name;
  end if;
  insert into conversion.tables (table_name, lock_position, time_column, key_columns, row_columns, columns)
  values (name, lock_position, time_column, key_columns, row_columns, conversion.columns_of(source));
  return row_columns;
end
$$;

-- Hands a new parent to pg_partman where the server has it, else gives it a default partition.
create function conversion.manage(name text)
returns void
language plpgsql
as $$
declare
  setting record;
  is_4 boolean := (select extversion like '4.%' from pg_extension where extname = 'pg_partman');
  template text := 'template_conversion_' || name;
  partition_name text;
begin
  select * into strict setting from public.retention_settings s where s.table_name = name;
  if public.has_partman() then
    perform partman.create_parent(
      p_parent_table := 'conversion.' || name,
      p_control := setting.time_column,
      p_type := case when is_4 then 'native' else 'range' end,
      p_interval := case when is_4 then 'daily' else '1 day' end,
      p_premake := setting.premake_days
    );
    update partman.part_config
    set retention_keep_table = false, infinite_time_partitions = true,
      template_table = 'partman.template_public_' || name
    where parent_table = 'conversion.' || name;
    execute format('alter table partman.%I rename to %I', template, 'template_public_' || name);
    for partition_name in
      select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = format('conversion.%I', name)::regclass
    loop
      execute format('alter table conversion.%I set schema public', partition_name);
    end loop;
  else
    execute format('create table public.%I partition of conversion.%I default', name || '_default', name);
  end if;
end
$$;

-- The days of which the old table holds rows, and those that run_maintenance() would make.
create function conversion.days_needed(name text)
returns setof date
language plpgsql
as $$
declare
  today date := (now() at time zone 'UTC')::date;
  ahead integer;
  wanted text;
begin
  select premake_days into strict ahead from public.retention_settings s where s.table_name = name;
  select time_column into strict wanted from conversion.tables t where t.table_name = name;
  return query execute format(
    'select distinct (%1$I at time zone ''UTC'')::date from public.%2$I
     union select d::date from generate_series(%3$L::date, %4$L::date, interval ''1 day'') d order by 1',
    wanted, name, today - 1, today + ahead
  );
end
$$;

-- Makes the partitions of these days that do not exist yet, with the names that their keeper would choose.
create function conversion.add_partitions(name text, days date[])
returns integer
language plpgsql
as $$
declare
  pattern text := case when (select extversion like '4.%' from pg_extension where extname = 'pg_partman')
                       then '"_p"YYYY"_"MM"_"DD' else '"_p"YYYYMMDD' end;
  day date;
  made integer := 0;
begin
  foreach day in array days loop
    continue when exists (
      select from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = format('conversion.%I', name)::regclass
        and pg_get_expr(c.relpartbound, c.oid) like format('FOR VALUES FROM (''%s %%', to_char(day, 'YYYY-MM-DD'))
    );
    execute format(
      'create table public.%I partition of conversion.%I for values from (%L) to (%L)',
      name || to_char(day, pattern), name, day::timestamptz, (day + 1)::timestamptz
    );
    made := made + 1;
  end loop;
  return made;
end
$$;

-- Installs pg_partman where the server offers it, as the migration of a partitioned database does.
create function conversion.offer_partman()
returns boolean
language plpgsql
as $$
begin
  if public.has_partman() or not exists (select from pg_available_extensions where name = 'pg_partman') then
    return false;
  end if;
  create schema partman;
  create extension pg_partman schema partman;
  return true;
end
$$;

-- Removes a new table with its partitions and what pg_partman knows of it, for an abort.
create function conversion.discard(name text)
returns void
language plpgsql
as $$
begin
  execute format('drop table if exists conversion.%I cascade', name);
  if public.has_partman() then
    delete from partman.part_config where parent_table = 'conversion.' || name;
    execute format('drop table if exists partman.%I', 'template_public_' || name);
  end if;
end
$$;
