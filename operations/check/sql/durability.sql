-- Settings under which a commit that was acknowledged can be lost, or a page can be torn, and those that hide it.
select f.severity, f.object, f.finding, f.remedy
from (
  select
    'critical' as severity,
    'setting ' || name as object,
    case name
      when 'fsync' then 'commits are acknowledged before they are on disk: a crash of the machine loses them and may ruin the cluster'
      when 'full_page_writes' then 'a crash in the middle of writing a page leaves a torn page that recovery cannot mend'
      when 'synchronous_commit' then 'commits are acknowledged before their WAL is on disk: a crash loses the last ones'
      else 'damaged pages are read as if they were whole'
    end as finding,
    format('alter system reset %I; select pg_reload_conf();', name) as remedy
  from pg_settings
  where (name in ('fsync', 'full_page_writes') and setting = 'off')
    -- The session's own value says nothing of others: the reset value is the server's, with this role and database.
    or (name = 'synchronous_commit' and source not in ('database', 'user', 'database user') and reset_val = 'off')
    or (name in ('zero_damaged_pages', 'ignore_checksum_failure', 'ignore_invalid_pages') and setting = 'on')
  union all
  select
    'critical',
    case
      when s.setrole = 0 then 'database ' || d.datname
      when s.setdatabase = 0 then 'role ' || r.rolname
      else format('role %s in database %s', r.rolname, d.datname)
    end,
    format('its sessions have %s: a commit that was acknowledged can be lost', c.setting),
    case
      when s.setrole = 0 then format('alter database %I reset %I;', d.datname, split_part(c.setting, '=', 1))
      when s.setdatabase = 0 then format('alter role %I reset %I;', r.rolname, split_part(c.setting, '=', 1))
      else format('alter role %I in database %I reset %I;', r.rolname, d.datname, split_part(c.setting, '=', 1))
    end
  from pg_db_role_setting s
  cross join lateral unnest(s.setconfig) c (setting)
  left join pg_database d on d.oid = s.setdatabase
  left join pg_roles r on r.oid = s.setrole
  where c.setting = 'synchronous_commit=off' and (s.setdatabase = 0 or d.datname = current_database())
  union all
  select 'medium', 'data checksums', 'a page that the disk has changed is not noticed', 'pg_checksums --enable, with the server stopped'
  from pg_settings
  where name = 'data_checksums' and setting = 'off'
) f
