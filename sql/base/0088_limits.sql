-- What: time limits of the roles that serve requests, and default_partition_rows() for those only who were granted it.
-- Why: services ask for their limits when they open a session. Behind a pooler in transaction mode they have none, and
--      a single statement would run without limit. A session that asks for another limit still gets it. A new function
--      may be called by everybody until that is taken back; this one reads tables with its owner's rights.
-- Lock: none on tables.
-- Roles belong to the whole server: two databases of one server may change one at the same moment, hence the handler.
do $$
declare
  role_name text;
  setting text;
begin
  foreach role_name in array array['lab_api', 'lab_reader', 'lab_grafana'] loop
    foreach setting in array array['statement_timeout=10s', 'idle_in_transaction_session_timeout=30s'] loop
      begin
        if not exists (select from pg_roles where rolname = role_name and setting = any (rolconfig)) then
          execute format('alter role %I set %I = %L', role_name, split_part(setting, '=', 1), split_part(setting, '=', 2));
        end if;
      exception when others then
        -- Whoever was quicker has written the same value; its transaction may not be visible yet.
        if sqlerrm not like 'tuple concurrently %' then
          raise;
        end if;
      end;
    end loop;
  end loop;
end
$$;

revoke execute on function default_partition_rows() from public;
