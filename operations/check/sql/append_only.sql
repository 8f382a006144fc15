-- Postings and journals are corrected by further rows, never changed.
select 'medium' as severity, format('%I.%I', n.nspname, c.relname) as object,
  format('%s may %s its rows, which only ever should be added to',
    case when g.grantee = 0 then 'every role' else 'role ' || r.rolname end, string_agg(lower(g.privilege_type), ' and ' order by g.privilege_type)) as finding,
  format('revoke update, delete, truncate on %I.%I from %s;', n.nspname, c.relname, case when g.grantee = 0 then 'public' else quote_ident(r.rolname) end) as remedy
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
cross join lateral aclexplode(c.relacl) g
left join pg_roles r on r.oid = g.grantee
where c.relkind in ('r', 'p') and not c.relispartition
  and c.relname ~* '^(postings?|journal_entries|ledger_entries|ledger_postings|account_entries|.*_events)$'
  and g.privilege_type in ('UPDATE', 'DELETE', 'TRUNCATE') and g.grantee <> c.relowner
  and not exists (select from pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal and t.tgenabled in ('O', 'A') and (t.tgtype & 2) = 2 and (t.tgtype & 24) > 0)
group by n.nspname, c.relname, g.grantee, r.rolname
