-- What: delete_expired() deletes expired rows of a distributed table by their time.
-- Why: the statement of 0097, which names rows by their ctid, is one that Citus refuses. Rows of the same moment leave
--      together, so that a batch may be somewhat larger than asked.
-- Lock: none, one function is replaced.
create or replace function delete_expired(expiring text, batch_rows integer)
returns bigint
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  setting retention_settings%rowtype;
  newest timestamptz;
  deleted bigint;
begin
  select s.* into strict setting from retention_settings s where s.table_name = expiring;
  if exists (select from partitioned_tables() t where t = expiring) then
    return 0;
  end if;
  execute format(
    'select max(t) from (select %2$I as t from %1$I where %2$I < now() - $1 order by 1 limit $2) expired',
    expiring, setting.time_column
  ) into newest using setting.retention, batch_rows;
  execute format('delete from %I where %I <= $1', expiring, setting.time_column) using newest;
  get diagnostics deleted = row_count;
  return deleted;
end
$$;
