-- Ids and times are given out before the commit: what commits late lies below what a reader has seen, and is passed over.
select
  'high' as severity,
  format('query %s', s.queryid) as object,
  'reads an outbox by `> last` in order: an event whose transaction commits late is never read' as finding,
  'read the WAL (a logical slot), or: select … where published_at is null order by id for update skip locked' as remedy
from pg_stat_statements s
join pg_database d on d.oid = s.dbid and d.datname = current_database()
where s.query ~* '\mselect\M.*\mfrom\M[^;]*outbox[^;]*\mwhere\M[^;]*(id|sequence|position|created_at)\s*>=?\s*\$[0-9]+[^;]*\morder\s+by\M'
  and s.query !~* 'skip\s+locked'
  and s.query !~* 'pg_snapshot_xmin|txid_snapshot_xmin|pg_stat_statements'
