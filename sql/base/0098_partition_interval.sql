-- What: change_partition_interval() says whether partitions are days, weeks or months from now on.
-- Why: each partition costs every query that is not bounded in time, and the planner's memory. Where few rows come a day,
--      weeks are enough. Rows stay where they are: only partitions without rows are made anew.
-- Lock: none, functions are added. When called: access exclusive on one parent at a time, given up after 100 ms and tried
--       again.
-- Makes the partitions of one table that hold no rows yet anew, as long as `unit` says. Rows stay where they are.
-- A table whose rows are kept for less than two of them keeps its days. @returns how many were made.
create function change_interval_of(parent text, unit text)
returns integer
language plpgsql set search_path = public, pg_temp set timezone = 'UTC' set lock_timeout = '100ms'
as $$
declare
  setting retention_settings%rowtype;
  today date := (now() at time zone 'UTC')::date;
  width interval;
  candidate record;
  used boolean;
begin
  select s.* into strict setting from retention_settings s where s.table_name = parent;
  width := '1 ' || case when setting.retention < 2 * ('1 ' || unit)::interval then 'day' else unit end;
  update retention_settings s
  set partition_interval = case width when interval '1 day' then 'day' else unit end
  where s.table_name = parent;
  if not exists (select from partitioned_tables() t where t = parent) then
    return 0;
  end if;
  perform lock_for_maintenance(parent);
  execute format('lock table only %I in access exclusive mode', parent);
  for candidate in
    select b.* from partition_bounds(parent) b
    where b.lower_bound >= today - 31 and b.upper_bound <> b.lower_bound + width
  loop
    execute format('select exists (select from %I)', candidate.partition_name) into used;
    if not used then
      execute format('drop table %I', candidate.partition_name);
    end if;
  end loop;
  if has_partman() then
    update partman.part_config
    set partition_interval = width::text, premake = ceil(setting.premake_days * 86400 / extract(epoch from width))
    where parent_table = 'public.' || parent;
  end if;
  return cover_days(parent, today - 1, today + setting.premake_days);
end
$$;

create procedure change_partition_interval(unit text)
language plpgsql
as $$
declare
  name text;
  answer text;
  done boolean;
begin
  if unit is null or unit not in ('day', 'week', 'month') then
    raise exception 'a partition interval is day, week or month, not %', coalesce(unit, 'null') using errcode = '22023';
  end if;
  foreach name in array array(select s.table_name from public.retention_settings s order by s.table_name) loop
    call public.maintenance_step(format('select public.change_interval_of(%L, %L)', name, unit), answer, done);
    if not done then
      raise exception 'the partitions of % could not be locked; others hold them. Nothing of it was changed. Try again', name using errcode = '55P03';
    end if;
  end loop;
end
$$;

revoke execute on function change_interval_of(text, text) from public;
revoke execute on procedure change_partition_interval(text) from public;
