-- After each checkpoint the first change of a page writes the whole page to the WAL.
select 'medium' as severity, 'setting max_wal_size' as object,
  format('%s checkpoints were forced by WAL, and %s came by the clock', num_requested, num_timed) as finding,
  format('alter system set max_wal_size = ''%s MB''; select pg_reload_conf();', 4 * setting::bigint) as remedy
from pg_stat_checkpointer
join pg_settings on name = 'max_wal_size'
where num_requested > 20 and num_requested > num_timed
