-- A slot keeps WAL until its consumer has confirmed it.
with slots as (
  select r.*, to_jsonb(r) ->> 'failover' as has_failover,
    case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end - r.restart_lsn as kept
  from pg_replication_slots r
)
select 'critical' as severity, format('slot %s', slot_name) as object,
  'has lost WAL that its consumer needs: events are missing there until it is copied anew' as finding,
  format('select pg_drop_replication_slot(%L); -- then a new slot and a new snapshot', slot_name) as remedy
from slots where wal_status = 'lost'
union all
select 'critical', format('slot %s', slot_name), 'its WAL is about to be removed: the consumer is too far behind',
  'let the consumer catch up, or raise max_slot_wal_keep_size'
from slots where wal_status = 'unreserved'
union all
select 'high', format('slot %s', slot_name),
  format('has no consumer, and keeps %s of WAL', pg_size_pretty(kept)),
  format('start its consumer; where it is gone for good: select pg_drop_replication_slot(%L);', slot_name)
from slots where not active and not temporary and wal_status not in ('lost', 'unreserved') and kept > 64 * 1024 * 1024
union all
select 'high', format('slot %s', slot_name),
  format('its consumer is %s behind', pg_size_pretty(kept)), 'see what the consumer waits for'
from slots where active and kept > 1024::bigint * 1024 * 1024
union all
select 'medium', 'setting max_slot_wal_keep_size',
  format('%s slots may keep WAL until the disk is full, and the primary stops', (select count(*) from slots)),
  'alter system set max_slot_wal_keep_size = ''64GB''; select pg_reload_conf();'
where current_setting('max_slot_wal_keep_size') = '-1' and exists (select from slots where not temporary)
union all
select 'high', format('slot %s', s.slot_name), 'no replica has a copy of it: a promotion loses what its consumer has not read',
  'create it with failover => true, and set sync_replication_slots on the replicas'
from slots s
where s.slot_type = 'logical' and s.has_failover = 'false' and not s.temporary
  and exists (select from slots p where p.slot_type = 'physical')
