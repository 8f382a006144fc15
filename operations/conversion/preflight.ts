import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Client } from 'pg';
import { capabilities, conversions, type TopologyName } from '../../kernel/topology.ts';
import { listMigrations, type Migration } from '../../sql/files.ts';
import type { FreeSpaceMeter } from './disk-space.ts';

/** The conversion can not begin, or not in this way; the message says what to do. */
export class ConversionRefused extends Error {}

export interface ConversionPlan {
  /** Daily tables in the order in which they are locked: the API's transactions reach them in this order. */
  tables: string[];
  /** Migrations whose text differs between the topologies, with what they are for the new one. */
  migrations: { name: string; sql: string; sha256: string }[];
}

const { from, to } = conversions.inPlace;

/** Deliveries are the first table that every webhook's transaction reads: a session that has it waits for no other. */
const lockOrder = ['webhook_deliveries', 'order_events', 'dispute_events', 'outbox'];

/** What differs between plain and partitioned, from the migrations themselves. */
export async function planConversion(): Promise<ConversionPlan> {
  const tables = [...capabilities(to).partitionedTables];
  const rank = (table: string) => (lockOrder.includes(table) ? lockOrder.indexOf(table) : lockOrder.length);
  const old = await readMigrations(from);
  const wanted = await readMigrations(to);
  const migrations = [...wanted.values()].filter(({ name, sha256 }) => old.get(name)?.sha256 !== sha256);
  const names = new Set([...tables, 'webhook_keys']);
  for (const { name } of migrations) {
    // A conversion that leaves out what it does not know would end in a schema that no migration describes.
    if (!names.has(tableOf(name))) throw new Error(`The conversion does not know what to do with ${name}.`);
  }
  return { tables: tables.sort((a, b) => rank(a) - rank(b)), migrations };
}

/** `0040_order_events.sql` → `order_events`. */
function tableOf(migration: string): string {
  return migration.slice(5, -4);
}

async function readMigrations(topology: TopologyName): Promise<Map<string, ConversionPlan['migrations'][number]>> {
  const files = await listMigrations(topology);
  const read = async ({ name, path }: Migration) => {
    const sql = await readFile(path, 'utf8');
    return [name, { name, sql, sha256: createHash('sha256').update(sql).digest('hex') }] as const;
  };
  return new Map(await Promise.all(files.map(read)));
}

export interface ConversionState {
  phase: 'copying' | 'switched' | 'aborting';
  startedAt: Date;
  /** Of the cluster that takes the rows over, as in `127.0.0.1:5432/payments`; null where they stay. */
  targetDatabase: string | null;
}

/** What a former call left, if anything. @throws ConversionRefused when it had another topology in mind. */
export async function readState(client: Client, topology: TopologyName): Promise<ConversionState | undefined> {
  const exists = await client.query("select to_regclass('conversion.state') is not null as known");
  if (!exists.rows[0].known) return undefined;
  const { rows } = await client.query<ConversionState & { target: string }>(
    'select target, target_database as "targetDatabase", phase, started_at as "startedAt" from conversion.state',
  );
  const { target, ...state } = rows[0]!;
  if (target === topology) return state;
  throw new ConversionRefused(
    `A conversion to ${target} is under way. End it with: lab convert ${target} --resume, or undo it with --abort.`,
  );
}

/**
 * An abort that was broken off has ended the capture of changes in some tables: what was copied of them is out of date.
 * @throws ConversionRefused for anything but another abort.
 */
export function refuseAfterAbort(state: ConversionState | undefined, action: string): void {
  if (state?.phase !== 'aborting' || action === 'abort') return;
  throw new ConversionRefused('A conversion is being undone, and that has not come to its end: --abort.');
}

/** @throws ConversionRefused when nothing new can begin because of what a former call left. */
export function refuseSecondStart(state: ConversionState | undefined, topology: TopologyName): void {
  if (state?.phase === 'copying') {
    throw new ConversionRefused(
      `A conversion that began at ${state.startedAt.toISOString()} is half done. Go on with --resume, or undo it with --abort.`,
    );
  }
  if (state) {
    throw new ConversionRefused(
      `This database was converted and waits for the services: restart them with TOPOLOGY=${topology}, then --finish.`,
    );
  }
}

/** @throws ConversionRefused when this database is not a plain one that can be converted now. */
export async function checkSource(client: Client, plan: ConversionPlan): Promise<void> {
  refuseSecondStart(await readState(client, to), to);
  await checkTables(client, plan.tables);
  await checkMigrations(client, from);
  await checkDependants(client, plan.tables);
}

async function checkTables(client: Client, tables: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ name: string; kind: string | null }>(
    `select t as name, c.relkind as kind from unnest($1::text[]) t left join pg_class c on c.oid = to_regclass('public.' || t)`,
    [tables],
  );
  const missing = rows.filter(({ kind }) => kind === null).map(({ name }) => name);
  if (missing.length > 0) throw new ConversionRefused(`This is no database of the lab: ${missing.join(', ')} missing.`);
  const split = rows.filter(({ kind }) => kind === 'p').map(({ name }) => name);
  if (split.length > 0) throw new ConversionRefused(`This database is partitioned already: ${split.join(', ')}.`);
}

/** @throws ConversionRefused when the schema is not the topology's newest: a conversion knows no other. */
export async function checkMigrations(client: Client, topology: TopologyName): Promise<void> {
  const applied = await client.query<{ name: string; sha256: string }>('select name, sha256 from schema_migrations');
  const known = new Map(applied.rows.map(({ name, sha256 }) => [name, sha256]));
  const expected = await readMigrations(topology);
  const missing = [...expected.values()].filter(({ name, sha256 }) => known.get(name) !== sha256);
  if (missing.length === 0 && known.size === expected.size) return;
  const names = missing.map(({ name }) => name);
  const foreign = [...known.keys()].filter((name) => !expected.has(name));
  throw new ConversionRefused(
    `The schema is not the newest ${topology} one (${[...names, ...foreign].join(', ')}). Migrate it to ${topology} first.`,
  );
}

/** What hangs on a table by its identity and not by its name would stay with the old one. */
async function checkDependants(client: Client, tables: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ what: string }>(
    `select 'foreign key ' || conname as what from pg_constraint
     where contype = 'f' and (confrelid = any ($1::text[]::regclass[]) or conrelid = any ($1::text[]::regclass[]))
     union all
     select distinct 'view ' || r.ev_class::regclass from pg_depend d join pg_rewrite r on r.oid = d.objid
     where d.classid = 'pg_rewrite'::regclass and d.refobjid = any ($1::text[]::regclass[]) and r.ev_class <> d.refobjid
     union all
     select 'trigger ' || tgname || ' of ' || tgrelid::regclass from pg_trigger
     where not tgisinternal and tgrelid = any ($1::text[]::regclass[])
     union all
     select 'policy ' || polname || ' of ' || polrelid::regclass from pg_policy where polrelid = any ($1::text[]::regclass[])
     union all
     select 'publication ' || pubname || ' (it publishes all tables, so it would publish the copies as new rows)'
     from pg_publication p
     where puballtables or exists (
       select from pg_publication_namespace n where n.pnpubid = p.oid and n.pnnspid = 'public'::regnamespace
     )`,
    [tables],
  );
  if (rows.length === 0) return;
  throw new ConversionRefused(`In the way of a conversion: ${rows.map(({ what }) => what).join(', ')}.`);
}

export interface DiskSpace {
  neededBytes: number;
  /** Null where it can't be known, because the server is elsewhere. */
  freeBytes: number | null;
}

/**
 * Both copies exist for a while, and the WAL of the copy until the next checkpoints.
 * @param measureFree Free bytes at a directory of the server, or null.
 * @throws ConversionRefused when it is known that the space is short.
 */
export async function checkDisk(
  client: Client,
  tables: readonly string[],
  measureFree: FreeSpaceMeter,
): Promise<DiskSpace> {
  const { rows } = await client.query<{ bytes: number; directory: string; wal: number }>(
    `select sum(pg_total_relation_size(t::regclass))::float8 as bytes, current_setting('data_directory') as directory,
            pg_size_bytes(current_setting('max_wal_size'))::float8 as wal
     from unnest($1::text[]) t`,
    [tables],
  );
  const { bytes, directory, wal } = rows[0]!;
  // Copies come with fuller pages than the originals; half as much again leaves room for what arrives meanwhile.
  const neededBytes = Math.ceil(bytes * 1.5 + Math.min(wal, bytes));
  const space = { neededBytes, freeBytes: await measureFree(directory) };
  refuseShortDisk(space);
  return space;
}

/** @throws ConversionRefused */
export function refuseShortDisk({ neededBytes, freeBytes }: DiskSpace): void {
  if (freeBytes === null || freeBytes >= neededBytes) return;
  const megabytes = (value: number) => `${Math.ceil(value / 1e6)} MB`;
  throw new ConversionRefused(
    `The disk is short: the copy needs ${megabytes(neededBytes)}, ${megabytes(freeBytes)} are free.`,
  );
}
