-- What: run_maintenance() deletes expired rows of a distributed table by their time.
-- Why: the statement of 0080, which names rows by their ctid, is one that Citus refuses, and with it failed the making and
--      dropping of partitions. Rows of the same moment leave together, so that a batch may be somewhat larger than asked.
-- Lock: none, one function is replaced.
create or replace function run_maintenance(batch_rows integer default 10000)
returns table (table_name text, created integer, dropped integer, deleted bigint)
language plpgsql security definer set search_path = public, pg_temp set timezone = 'UTC'
as $$
declare
  setting record;
  today date := (now() at time zone 'UTC')::date;
  newest timestamptz;
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
        'select max(t) from (select %2$I as t from %1$I where %2$I < now() - $1 order by 1 limit $2) expired',
        setting.table_name, setting.time_column
      ) into newest using setting.retention, batch_rows;
      execute format('delete from %I where %I <= $1', setting.table_name, setting.time_column) using newest;
      get diagnostics deleted = row_count;
    end if;
    return next;
  end loop;
end
$$;
