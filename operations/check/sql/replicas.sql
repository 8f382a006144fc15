-- Who replays, how far behind, and whether a commit waits for one that is not there.
select 'critical' as severity, 'setting synchronous_standby_names' as object,
  format('names %s, and none of them is connected: every commit waits', current_setting('synchronous_standby_names')) as finding,
  'bring the replica back, or: alter system set synchronous_standby_names = ''''; select pg_reload_conf();' as remedy
where current_setting('synchronous_standby_names') <> '' and not pg_is_in_recovery()
  and current_setting('synchronous_commit') not in ('off', 'local')
  and not exists (select from pg_stat_replication where sync_state in ('sync', 'quorum'))
union all
select 'high', format('replica %s', coalesce(nullif(application_name, ''), host(client_addr), pid::text)),
  format('is %s and %s behind', pg_size_pretty(pg_current_wal_lsn() - replay_lsn), date_trunc('second', replay_lag)),
  'see its disk and its long queries; reads that need fresh rows belong to the primary until then'
from pg_stat_replication
where not pg_is_in_recovery() and state = 'streaming'
  and replay_lsn is not null
  and (pg_current_wal_lsn() - replay_lsn > 256 * 1024 * 1024 or replay_lag > interval '30 seconds')
union all
select 'medium', format('replica %s', coalesce(nullif(application_name, ''), host(client_addr), pid::text)),
  format('keeps the primary from removing dead rows: its oldest snapshot is %s transactions old', age(backend_xmin)),
  'end the long query on the replica, or set hot_standby_feedback = off there'
from pg_stat_replication
where backend_xmin is not null and age(backend_xmin) > 1000000
union all
select 'medium', 'database ' || datname,
  format('%s queries were canceled by replay', confl_tablespace + confl_lock + confl_snapshot + confl_bufferpin + confl_deadlock),
  'set hot_standby_feedback = on, or a longer max_standby_streaming_delay'
from pg_stat_database_conflicts
where datname = current_database()
  and confl_tablespace + confl_lock + confl_snapshot + confl_bufferpin + confl_deadlock > 0
