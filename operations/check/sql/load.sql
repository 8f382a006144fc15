-- Connections, checkpoints and reads of whole tables, as the server has counted them.
select 'high' as severity, 'setting max_connections' as object,
  format('%s of %s connections are taken', count(*), current_setting('max_connections')) as finding,
  'a pooler between the services and the server' as remedy
from pg_stat_activity
where backend_type = 'client backend'
having count(*) > current_setting('max_connections')::int * 0.85
union all
select 'medium', format('%I.%I', schemaname, relname),
  format('was read in whole %s times, %s rows each', seq_scan, seq_tup_read / seq_scan),
  format('find the statement in pg_stat_statements, and index what it looks for: explain (analyze, buffers) … %I.%I …', schemaname, relname)
from pg_stat_user_tables
where seq_scan > 500 and seq_tup_read / seq_scan > 50000
