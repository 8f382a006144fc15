import type { Client } from 'pg';

/**
 * Everything that the catalogs say about the relations of `public`, its partitions included, and about its functions, one
 * sentence each, by the name of the relation or function. What a partition may be reached by directly is left out: rights
 * are those of its parent.
 */
export async function readCatalog(client: Client): Promise<Map<string, string[]>> {
  const { rows } = await client.query<{ name: string; facts: string[] }>(facts);
  return new Map(rows.map((row) => [row.name, row.facts]));
}

const facts = `
  with relation as (
    select * from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'S', 'v', 'm')
  ), fact (name, fact) as (
    select relname, concat_ws(' ', 'is', relkind, relpersistence, relreplident, relam::regclass, relrowsecurity, reloptions,
                              relowner::regrole, pg_get_expr(relpartbound, oid), obj_description(oid, 'pg_class')) from relation
    union all
    select relname, concat_ws(' ', 'right', a.grantee::regrole, a.privilege_type, a.is_grantable)
    from relation, aclexplode(relacl) a where not relispartition
    union all
    select relname, concat_ws(' ', 'column', attnum, attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated,
                              attstorage, attcompression, attcollation::regcollation, attstattarget, attislocal, attinhcount, attacl,
                              pg_get_expr(d.adbin, d.adrelid))
    from relation r join pg_attribute a on a.attrelid = r.oid and attnum > 0
    left join pg_attrdef d on d.adrelid = r.oid and d.adnum = attnum
    union all
    select relname, concat_ws(' ', 'constraint', conname, pg_get_constraintdef(k.oid), convalidated, conislocal, coninhcount)
    from relation r join pg_constraint k on k.conrelid = r.oid
    union all
    select r.relname, concat_ws(' ', 'index', pg_get_indexdef(indexrelid), indisvalid, indisreplident, x.reloptions,
                                (select inhparent::regclass from pg_inherits where inhrelid = indexrelid))
    from relation r join pg_index i on i.indrelid = r.oid join pg_class x on x.oid = indexrelid
    union all
    select relname, 'trigger ' || pg_get_triggerdef(t.oid)
    from relation r join pg_trigger t on t.tgrelid = r.oid where not tgisinternal
    union all
    select relname, concat_ws(' ', 'published', pubname, pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot)
    from relation r join pg_publication_rel m on m.prrelid = r.oid join pg_publication p on p.oid = m.prpubid
    union all
    select p.oid::regprocedure::text, concat_ws(' ', pg_get_functiondef(p.oid), p.proacl, p.proowner::regrole)
    from pg_proc p where pronamespace = 'public'::regnamespace and prokind = 'f'
      and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
  )
  select name, array_agg(fact order by fact) as facts from fact group by name order by name`;
