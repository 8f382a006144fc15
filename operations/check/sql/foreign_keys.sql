-- A delete or a new key in the referenced table looks for rows that refer to it: without an index, in the whole table.
select 'medium' as severity, format('%I.%I', n.nspname, c.relname) as object,
  format('no index begins with (%s) of its foreign key: each delete in %s reads all of its %s rows',
    k.columns, f.confrelid::regclass, c.reltuples::bigint) as finding,
  format('create index concurrently on %I.%I (%s);', n.nspname, c.relname, k.columns) as remedy
from pg_constraint f
join pg_class c on c.oid = f.conrelid
join pg_namespace n on n.oid = c.relnamespace
cross join lateral (
  select string_agg(quote_ident(a.attname), ', ' order by u.position) as columns
  from unnest(f.conkey) with ordinality u (attnum, position)
  join pg_attribute a on a.attrelid = f.conrelid and a.attnum = u.attnum
) k
where f.contype = 'f' and f.conparentid = 0 and c.reltuples > 10000
  and not exists (
    select from pg_index i
    where i.indrelid = f.conrelid and i.indisvalid and i.indpred is null
      and (select array_agg(u.attnum order by u.attnum) from unnest((i.indkey::int2[])[0:cardinality(f.conkey) - 1]) u (attnum))
        = (select array_agg(u.attnum order by u.attnum) from unnest(f.conkey) u (attnum))
  )
union all
select 'low', format('%I.%I', n.nspname, c.relname),
  format('constraint %I holds for new rows only: the old ones were never checked', k.conname),
  format('alter table %I.%I validate constraint %I;', n.nspname, c.relname, k.conname)
from pg_constraint k
join pg_class c on c.oid = k.conrelid
join pg_namespace n on n.oid = c.relnamespace
where not k.convalidated and k.contype in ('f', 'c') and k.conparentid = 0 and n.nspname !~ '^(pg_|information_schema$)'
