-- Columns whose type loses money or time, and keys that run out.
select 'high' as severity, format('%I.%I.%I', n.nspname, c.relname, a.attname) as object,
  case when a.atttypid = 'money'::regtype then 'is of the type money: its scale and its form follow lc_monetary, and it knows no currency'
    else 'is a floating-point number: sums of money in it are not exact' end as finding,
  format('a column of minor units as bigint beside it, written by both versions, then: alter table %I.%I drop column %I;', n.nspname, c.relname, a.attname) as remedy
from pg_attribute a
join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p') and not c.relispartition
join pg_namespace n on n.oid = c.relnamespace
where a.attnum > 0 and not a.attisdropped and n.nspname !~ '^(pg_|information_schema$)'
  and (a.atttypid = 'money'::regtype or (a.atttypid in ('float4'::regtype, 'float8'::regtype)
    and a.attname ~* '(^|_)(amount|price|balance|total|subtotal|fee|fees|tax|refund|refunded|captured|authori[sz]ed|charged|paid|credit|debit)(_|$)'))
union all
select 'low', format('%I.%I.%I', n.nspname, c.relname, a.attname),
  'is a time without its zone: it means another instant to each client with another setting',
  format('alter table %I.%I alter column %I type timestamptz using %3$I at time zone ''UTC''; -- rewrites the table', n.nspname, c.relname, a.attname)
from pg_attribute a
join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p') and not c.relispartition
join pg_namespace n on n.oid = c.relnamespace
where a.attnum > 0 and not a.attisdropped and a.atttypid = 'timestamp'::regtype and n.nspname !~ '^(pg_|information_schema$)'
  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
union all
select case when used > 0.8 then 'critical' else 'high' end, format('%s.%I', tab, col),
  format('%s %% of the values of its type %s are used up', round(used * 100), format_type(typ, null)),
  format('alter table %s alter column %I type bigint; -- rewrites the table: on a large one add a column, copy, exchange', tab, col)
from (
  select d.refobjid::regclass as tab, a.attname as col, a.atttypid as typ,
    coalesce(s.last_value, 0)::numeric / case a.atttypid when 'int2'::regtype then 32767 else 2147483647 end as used
  from pg_sequences s
  join pg_class c on c.relname = s.sequencename and c.relnamespace = (select oid from pg_namespace where nspname = s.schemaname)
  join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i') and d.refobjsubid > 0
  join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
  where a.atttypid in ('int2'::regtype, 'int4'::regtype)
) k
where used > 0.5
