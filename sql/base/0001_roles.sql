-- What: the SQL roles. They carry privileges only; the environment gives them a password and LOGIN.
-- Why: each process gets the least it needs, so that a leaked credential or a bug reaches no further than its role.
-- Lock: none on tables.
-- Roles belong to the whole server: two databases of one server may create them at the same moment, hence the handler.
-- The ingest gateway has no role, because it has no database.
do $$
declare
  role_name text;
begin
  foreach role_name in array array['lab_migrate', 'lab_api', 'lab_worker', 'lab_reader', 'lab_cdc', 'lab_grafana'] loop
    begin
      execute format('create role %I nologin', role_name);
    exception when duplicate_object or unique_violation then
      null;
    end;
  end loop;
end
$$;

revoke create on schema public from public;
grant usage on schema public to lab_api, lab_worker, lab_reader, lab_cdc, lab_grafana;
