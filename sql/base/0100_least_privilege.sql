-- What: limit_public() takes from PUBLIC what the lab's readers don't need: temporary tables, large objects, advisory
--       locks and messages in the WAL. lab_api may update every column of orders, disputes and captures but their ids
--       and created_at.
-- Why: a server gives these to every role. A reader could fill the disk, write what every decoder of the WAL reads, or
--      hold the locks by which the API and change data capture agree. Those who take such locks are granted them. An id
--      and the time of creation never change, so that a credential of the API that leaks can't make one order another.
--      A column that is added later needs a grant of its own.
-- Lock: none that blocks reads or writes.
create function limit_public()
returns void
language plpgsql set search_path = pg_catalog, pg_temp
as $$
declare
  taken regprocedure;
begin
  -- Functions of the server itself belong to its superuser.
  if not (select rolsuper from pg_roles where rolname = current_user) then
    raise notice 'PUBLIC keeps large objects and advisory locks: only a superuser can take them';
    return;
  end if;
  execute format('revoke temporary on database %I from public', current_database());
  for taken in
    select oid::regprocedure from pg_proc
    where pronamespace = 'pg_catalog'::regnamespace
      and proname ~ '^(lo_.*|loread|lowrite|pg_logical_emit_message|pg_(try_)?advisory_.*)$'
  loop
    execute format('revoke execute on function %s from public', taken);
    if taken::text like '%advisory%' then
      execute format('grant execute on function %s to lab_migrate, lab_api, lab_worker, lab_cdc', taken);
    elsif taken::text like 'pg_logical_emit_message%' then
      -- Debezium's heartbeat is such a message.
      execute format('grant execute on function %s to lab_cdc', taken);
    end if;
  end loop;
end
$$;

revoke execute on function limit_public() from public;
select limit_public();

do $$
declare
  changed text;
  columns text;
begin
  foreach changed in array array['orders', 'disputes', 'captures'] loop
    select string_agg(quote_ident(attname), ', ' order by attnum) into columns
    from pg_attribute
    where attrelid = changed::regclass and attnum > 0 and not attisdropped
      and attname <> all (array['order_id', 'dispute_id', 'capture_id', 'created_at']);
    execute format('revoke update on %I from lab_api', changed);
    execute format('grant update (%s) on %I to lab_api', columns, changed);
  end loop;
end
$$;
