-- Through jsonb, because older servers lack some of the columns.
select s ->> 'database' as database, s ->> 'plugin' as plugin, (s ->> 'active')::boolean as active,
       (s ->> 'active_pid')::int as active_pid,
       s ->> 'confirmed_flush_lsn' as confirmed_lsn, s ->> 'wal_status' as wal_status,
       s ->> 'invalidation_reason' as invalidation_reason,
       pg_wal_lsn_diff(pg_current_wal_lsn(), (s ->> 'confirmed_flush_lsn')::pg_lsn)::bigint::text as lag_bytes,
       pg_wal_lsn_diff(pg_current_wal_lsn(), (s ->> 'restart_lsn')::pg_lsn)::bigint::text as retained_bytes
from (select to_jsonb(r) as s from pg_replication_slots r where slot_name = $1) as slot
