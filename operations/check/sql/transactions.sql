-- What holds locks and keeps dead rows, though it does nothing, for longer than $1.
select 'critical' as severity, format('prepared transaction %s', gid) as object,
  format('waits for its second phase since %s, holds its locks and keeps all dead rows', date_trunc('second', prepared)) as finding,
  format('find out what its coordinator has decided, then: commit prepared %L; or rollback prepared %1$L;', gid) as remedy
from pg_prepared_xacts
where database = current_database() and prepared < now() - $1::interval
union all
select 'high', format('session %s of %s', pid, coalesce(usename, 'a role unknown here')),
  format('is idle in a transaction since %s', date_trunc('second', state_change)),
  format('mend the client; set idle_in_transaction_session_timeout; now: select pg_terminate_backend(%s);', pid)
from pg_stat_activity
where datname = current_database() and state like 'idle in transaction%' and state_change < now() - $1::interval
union all
select 'medium', format('session %s of %s', pid, coalesce(usename, 'a role unknown here')),
  format('its statement runs since %s: no row that died since is removed', date_trunc('second', query_start)),
  format('select pg_cancel_backend(%s);', pid)
from pg_stat_activity
where datname = current_database() and state = 'active' and backend_type = 'client backend'
  and query_start < now() - $1::interval * 30 and pid <> pg_backend_pid()
union all
select 'high', format('session %s of %s', a.pid, coalesce(a.usename, 'a role unknown here')),
  format('waits for a lock since %s, held by %s', date_trunc('second', a.query_start), array_to_string(pg_blocking_pids(a.pid), ', ')),
  'end what holds the lock; give migrations a lock_timeout'
from pg_stat_activity a
where a.datname = current_database() and a.wait_event_type = 'Lock' and a.query_start < now() - $1::interval / 6
