-- Whether dead rows go, statistics are renewed and transaction ids do not run out.
select 'high' as severity, 'setting autovacuum' as object,
  'is off: dead rows stay, and statistics age' as finding,
  'alter system set autovacuum = on; select pg_reload_conf();' as remedy
where current_setting('autovacuum') = 'off' or current_setting('track_counts') = 'off'
union all
select 'high', format('%I.%I', n.nspname, c.relname), 'has autovacuum switched off',
  format('alter table %I.%I reset (autovacuum_enabled);', n.nspname, c.relname)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where exists (select from unnest(c.reloptions) o (option) where o.option in ('autovacuum_enabled=false', 'autovacuum_enabled=off', 'autovacuum_enabled=0'))
union all
select 'medium', format('%I.%I', schemaname, relname),
  format('%s of its rows are dead beside %s live ones; last vacuumed %s', n_dead_tup, n_live_tup,
    coalesce(to_char(greatest(last_vacuum, last_autovacuum), 'YYYY-MM-DD HH24:MI'), 'never')),
  format('vacuum %I.%I; alter table %1$I.%2$I set (autovacuum_vacuum_scale_factor = 0.02);', schemaname, relname)
from pg_stat_user_tables
where n_dead_tup > 50000 and n_dead_tup > n_live_tup / 2
union all
select case when age(datfrozenxid) > 1200000000 then 'critical' else 'high' end, 'database ' || datname,
  format('its oldest transaction id is %s old; writing stops at about 2.1 billion', age(datfrozenxid)),
  'vacuum (freeze) the oldest tables, after what holds them back has ended: prepared transactions, slots, long transactions'
from pg_database
where datname = current_database() and age(datfrozenxid) > current_setting('autovacuum_freeze_max_age')::bigint * 3 / 2
union all
select case when mxid_age(datminmxid) > 1200000000 then 'critical' else 'high' end, 'database ' || datname,
  format('its oldest multixact is %s old', mxid_age(datminmxid)), 'vacuum (freeze) the tables with the oldest relminmxid'
from pg_database
where datname = current_database() and mxid_age(datminmxid) > current_setting('autovacuum_multixact_freeze_max_age')::bigint * 3 / 2
