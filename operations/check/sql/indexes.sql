-- Indexes that are broken, that are there twice, or that are only paid for.
select 'high' as severity, format('%I.%I', n.nspname, c.relname) as object,
  case when c.relkind = 'I' then 'some partition has no index of it, so that it is not used as one' else 'its build has failed: it is written and never read' end as finding,
  case when c.relkind = 'I' then 'create the index on each partition, and attach it: alter index … attach partition …;'
    else format('reindex index concurrently %I.%I;', n.nspname, c.relname) end as remedy
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_namespace n on n.oid = c.relnamespace
where (not i.indisvalid or not i.indisready) and n.nspname !~ '^pg_'
union all
select 'medium', format('%I.%I', n.nspname, c.relname),
  format('is the same index as %s: each write pays for both', min(o.indexrelid)::regclass),
  format('drop index concurrently %I.%I;', n.nspname, c.relname)
from pg_index i
join pg_class c on c.oid = i.indexrelid
join pg_namespace n on n.oid = c.relnamespace
join pg_class t on t.oid = i.indrelid and not t.relispartition
join pg_index o on o.indrelid = i.indrelid and o.indexrelid <> i.indexrelid
  and o.indkey::text = i.indkey::text and o.indclass::text = i.indclass::text and o.indcollation::text = i.indcollation::text
  and o.indoption::text = i.indoption::text and o.indisunique >= i.indisunique
  and pg_get_expr(o.indexprs, o.indrelid) is not distinct from pg_get_expr(i.indexprs, i.indrelid)
  and pg_get_expr(o.indpred, o.indrelid) is not distinct from pg_get_expr(i.indpred, i.indrelid)
join pg_class oc on oc.oid = o.indexrelid and oc.relam = c.relam
where n.nspname !~ '^pg_' and i.indisvalid and o.indisvalid
  and not exists (select from pg_constraint k where k.conindid = i.indexrelid)
  -- Of two that are alike the newer one goes.
  and (o.indisunique > i.indisunique or o.indexrelid < i.indexrelid
    or exists (select from pg_constraint k where k.conindid = o.indexrelid))
group by n.nspname, c.relname
union all
select 'low', format('%I.%I', s.schemaname, s.indexrelname),
  format('%s that no query has read since %s, on this server', pg_size_pretty(pg_relation_size(s.indexrelid)),
    coalesce((select to_char(stats_reset, 'YYYY-MM-DD') from pg_stat_database where datname = current_database()), 'its statistics began')),
  format('look at the replicas too, then: drop index concurrently %I.%I;', s.schemaname, s.indexrelname)
from pg_stat_user_indexes s
join pg_index i on i.indexrelid = s.indexrelid
where s.idx_scan = 0 and not i.indisunique and i.indisvalid and pg_relation_size(s.indexrelid) > 16 * 1024 * 1024
  and not exists (select from pg_constraint k where k.conindid = i.indexrelid)
