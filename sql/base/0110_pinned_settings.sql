-- What: every function of the lab runs with settings of its own for how times, intervals and names are written, for the
--       time zone and for the search path, where it says none itself.
-- Why: run_maintenance() finds the day of a partition in the text of its bounds, which follows the session's date style:
--      with `German` it found none, and made partitions that were there. A role, a database or a caller may have any.
--      Procedures are left out: with settings of their own they could not commit. What they call has them.
-- Lock: none, functions get attributes.
do $$
declare
  routine regprocedure;
begin
  for routine in
    select p.oid::regprocedure from pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.prokind = 'f'
      and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
  loop
    execute format(
      'alter function %s set datestyle = ''ISO, MDY'' set intervalstyle = ''postgres'' set timezone = ''UTC'' '
      'set standard_conforming_strings = on set quote_all_identifiers = off set transform_null_equals = off', routine
    );
    if not exists (select from pg_proc p, unnest(p.proconfig) c where p.oid = routine and c like 'search_path=%') then
      execute format('alter function %s set search_path = public, pg_temp', routine);
    end if;
  end loop;
end
$$;
