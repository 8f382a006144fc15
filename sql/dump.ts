import { diff } from 'node:util';
import type { Client } from 'pg';
import { hasExtension } from '../kernel/postgres/extension.ts';
import { withClient } from '../kernel/postgres/with-client.ts';
import { shardingExtension } from '../kernel/topology.ts';

/**
 * Describes the schema `public` of a migrated database from its catalogs, as SQL that a reader knows: tables with
 * columns, constraints and indexes, functions by their signatures, roles, what each role may do, and how Citus spreads
 * the tables. The same schema gives the same text on every day, so daily partitions appear as one line.
 */
export async function describeSchema(dsn: string): Promise<string> {
  const describe = async (client: Client): Promise<string> => {
    await client.query('set search_path = public');
    const parts = [
      await linesOf(client, roles),
      ...(await describeTables(client)),
      await linesOf(client, functions),
      await describeDistribution(client),
    ];
    return `${parts.filter(Boolean).join('\n\n')}\n`;
  };
  return withClient(dsn, describe, { application_name: 'lab-dump' });
}

/** The two texts' differing lines, each group with two lines around it, in the manner of `diff -u`. */
export function describeDifference(from: { name: string; text: string }, to: { name: string; text: string }): string {
  const context = 2;
  const lines = diff(from.text.trimEnd().split('\n'), to.text.trimEnd().split('\n')).map(([operation, line]) => ({
    changed: operation !== 0,
    // In util.diff an insertion is what the first text has and the second lacks.
    text: `${operation === 0 ? ' ' : operation === 1 ? '-' : '+'}${line}`,
  }));
  const shown = lines.map((_, index) => lines.slice(Math.max(0, index - context), index + context + 1).some(isChanged));
  const groups = lines.flatMap((line, index) => {
    if (!shown[index]) return [];
    return shown[index - 1] ? [line.text] : ['@@', line.text];
  });
  return `${[`--- ${from.name}`, `+++ ${to.name}`, ...groups].join('\n')}\n`;
}

function isChanged(line: { changed: boolean }): boolean {
  return line.changed;
}

async function linesOf(client: Client, query: string, values: unknown[] = []): Promise<string> {
  const { rows } = await client.query<{ line: string }>(query, values);
  return rows.map((row) => row.line).join('\n');
}

/** How Citus spreads the tables; nothing where there is no Citus. */
async function describeDistribution(client: Client): Promise<string> {
  return (await hasExtension(client, shardingExtension)) ? linesOf(client, distribution) : '';
}

const distribution = `
  select case citus_table_type
           when 'reference' then format('create_reference_table(%s)', table_name)
           else format('create_distributed_table(%s, %s)', table_name, distribution_column)
         end as line
  from citus_tables join pg_class c on c.oid = table_name
  where not c.relispartition
  order by table_name::text`;

async function describeTables(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ oid: number; name: string; suffix: string }>(tables);
  const described: string[] = [];
  for (const table of rows) {
    const inside = [await linesOf(client, columns, [table.oid]), await linesOf(client, constraints, [table.oid])];
    const body = inside.filter(Boolean).join('\n').split('\n').join(',\n');
    const after = [await linesOf(client, partitions, [table.oid]), await linesOf(client, indexes, [table.oid])];
    const grants = await linesOf(client, tableGrants, [table.oid]);
    const create = `create table ${table.name} (\n${body}\n)${table.suffix};`;
    described.push([create, ...after, grants].filter(Boolean).join('\n'));
  }
  return described;
}

const roles = `
  select 'create role ' || rolname || case when rolcanlogin then ' login' else ' nologin' end
         || case when rolsuper then ' superuser' else '' end || case when rolcreaterole then ' createrole' else '' end
         || case when rolcreatedb then ' createdb' else '' end || case when rolreplication then ' replication' else '' end
         || case when rolbypassrls then ' bypassrls' else '' end || ';' as line
  from pg_roles where starts_with(rolname, 'lab_') order by rolname`;

const tables = `
  select oid, relname as name,
         case when relkind = 'p' then ' partition by ' || lower(pg_get_partkeydef(oid)) else '' end
         || coalesce(' with (' || array_to_string(reloptions, ', ') || ')', '') as suffix
  from pg_class
  where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
    and not exists (select from pg_depend d where d.objid = pg_class.oid and d.deptype = 'e')
  order by relname`;

const columns = `
  select '  ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
         || case when a.attnotnull then ' not null' else '' end
         || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') as line
  from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped
  order by a.attnum`;

/** Not-null constraints stand with their columns. */
const constraints = `
  select '  constraint ' || conname || ' ' || pg_get_constraintdef(oid) as line
  from pg_constraint
  where conrelid = $1 and contype in ('p', 'u', 'f', 'c', 'x')
  order by position(contype in 'pufcx'), conname`;

const partitions = `
  select case when pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT' then '-- one default partition, which stays empty'
              else '-- one partition a day, named ' || regexp_replace(c.relname, '[0-9]{4}_?[0-9]{2}_?[0-9]{2}$', 'YYYYMMDD') end as line
  from pg_inherits i join pg_class c on c.oid = i.inhrelid
  where i.inhparent = $1
  group by 1 order by 1 desc`;

const indexes = `
  select pg_get_indexdef(indexrelid) || ';' as line
  from pg_index i join pg_class c on c.oid = i.indexrelid
  where i.indrelid = $1 and not exists (select from pg_constraint where conindid = i.indexrelid and contype in ('p', 'u', 'x'))
  order by c.relname`;

const tableGrants = `
  select 'grant ' || privileges || ' on ' || $1::oid::regclass || ' to ' || role || ';' as line
  from (
    select a.grantee::regrole::text as role, string_agg(lower(a.privilege_type), ', ' order by a.privilege_type) as privileges
    from pg_class c, aclexplode(c.relacl) a
    where c.oid = $1 and a.grantee <> c.relowner
    group by a.grantee
    union all
    select a.grantee::regrole::text,
           lower(a.privilege_type) || ' (' || string_agg(t.attname, ', ' order by t.attnum) || ')'
    from pg_class c join pg_attribute t on t.attrelid = c.oid, aclexplode(t.attacl) a
    where c.oid = $1 and a.grantee <> c.relowner
    group by a.grantee, a.privilege_type
  ) granted
  order by role, privileges`;

/** Signatures only: the bodies stand in the migrations. */
const functions = `
  select 'create function ' || p.oid::regprocedure || ' returns ' || pg_get_function_result(p.oid)
         || ' language ' || l.lanname || case when p.prosecdef then ' security definer' else '' end
         || coalesce(' set ' || array_to_string(p.proconfig, ' set '), '') || ';'
         || coalesce(
              (select string_agg(e'\\ngrant execute on function ' || p.proname || ' to ' || role || ';', '' order by role)
               from (select case when a.grantee = 0 then 'public' else a.grantee::regrole::text end as role
                     from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                     where a.grantee <> p.proowner) granted), '') as line
  from pg_proc p join pg_language l on l.oid = p.prolang
  where p.pronamespace = 'public'::regnamespace
    and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
  order by p.oid::regprocedure::text`;
