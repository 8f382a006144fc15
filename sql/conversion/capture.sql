-- What: functions that record which rows of a table change while it is copied.
-- Why: the trigger notes keys in the transaction of the change, so none escapes, and none is noted that was rolled back.
-- Lock: capture() and release() take share row exclusive on one table for an instant: they wait for writers and hold up
--       writers.

-- The change log of a table: the keys of its changed rows, in the order in which they were noted.
create function conversion.make_log(name text, row_columns text[])
returns void
language plpgsql
as $$
begin
  execute format('create table conversion.%I as select %s from public.%I with no data', 'changes_' || name, conversion.list(row_columns), name);
  execute format('alter table conversion.%I add column removed boolean not null, add column seq bigint generated always as identity primary key', 'changes_' || name);
end
$$;

create function conversion.refuse_truncate()
returns trigger
language plpgsql
as $$
begin
  raise exception 'a conversion is under way: % can not be truncated', tg_table_name;
end
$$;

-- From its commit on, every change of the old table leaves the row's key in the change log, in the transaction that
-- makes the change. The function belongs to the converter (security definer): the API's role needs no right on the log.
create function conversion.capture(name text)
returns void
language plpgsql
as $capture$
declare
  t conversion.tables;
  log text := format('conversion.%I', 'changes_' || name);
  handler text := format('conversion.%I', 'capture_' || name);
  names text;
begin
  select * into strict t from conversion.tables where table_name = name;
  names := conversion.list(t.row_columns);
  execute format(
    $f$create or replace function %1$s() returns trigger
       language plpgsql security definer set search_path = pg_catalog, pg_temp
       as $body$
       begin
         if tg_op in ('UPDATE', 'DELETE') then
           insert into %2$s (removed, %3$s) select true, %3$s from old_rows;
         end if;
         if tg_op in ('INSERT', 'UPDATE') then
           insert into %2$s (removed, %3$s) select false, %3$s from new_rows;
         end if;
         return null;
       end
       $body$$f$, handler, log, names);
  execute format('create trigger conversion_insert after insert on public.%I referencing new table as new_rows for each statement execute function %s()', name, handler);
  execute format('create trigger conversion_update after update on public.%I referencing old table as old_rows new table as new_rows for each statement execute function %s()', name, handler);
  execute format('create trigger conversion_delete after delete on public.%I referencing old table as old_rows for each statement execute function %s()', name, handler);
  execute format('create trigger conversion_truncate before truncate on public.%I for each statement execute function conversion.refuse_truncate()', name);
  update conversion.tables set captured = true where table_name = name;
end
$capture$;

-- Ends capture(), for an abort.
create function conversion.release(name text)
returns void
language plpgsql
as $$
begin
  execute format('drop trigger if exists conversion_insert on public.%I', name);
  execute format('drop trigger if exists conversion_update on public.%I', name);
  execute format('drop trigger if exists conversion_delete on public.%I', name);
  execute format('drop trigger if exists conversion_truncate on public.%I', name);
  update conversion.tables set captured = false where table_name = name;
end
$$;
