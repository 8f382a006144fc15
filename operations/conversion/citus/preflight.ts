import type { Client } from 'pg';
import { hasExtension } from '../../../kernel/postgres/extension.ts';
import { addressOf } from '../../../kernel/postgres/hosts.ts';
import { conversions, shardingExtension } from '../../../kernel/topology.ts';
import { migrate } from '../../../sql/migrate.ts';
import type { FreeSpaceMeter } from '../disk-space.ts';
import { ConversionRefused, checkMigrations, type DiskSpace, refuseShortDisk } from '../preflight.ts';
import { convertedTables } from './tables.ts';

const { from, to } = conversions.toCluster;

/** Where a database is, as in `127.0.0.1:5432/payments`. */
export function placeOf(dsn: string): string {
  const { host, port } = addressOf(dsn);
  return `${host}:${port}${new URL(dsn).pathname}`;
}

/** @throws ConversionRefused when this is not a partitioned database that can be left now. */
export async function checkSource(source: Client): Promise<void> {
  const kinds = await source.query<{ name: string; kind: string | null }>(
    `select t as name, c.relkind as kind from unnest($1::text[]) t left join pg_class c on c.oid = to_regclass('public.' || t)`,
    [[...convertedTables]],
  );
  const kindOf = new Map(kinds.rows.map(({ name, kind }) => [name, kind]));
  if (await hasExtension(source, shardingExtension))
    throw new ConversionRefused('This database is a Citus cluster already.');
  const missing = convertedTables.filter((name) => kindOf.get(name) === null && name !== 'webhook_keys');
  if (missing.length > 0) throw new ConversionRefused(`This is no database of the lab: ${missing.join(', ')} missing.`);
  if (kindOf.get('outbox') !== 'p') {
    throw new ConversionRefused('This database is plain: the way leads over `lab convert partitioned`.');
  }
  await checkMigrations(source, from);
  await checkLedger(source);
  await checkReaders(source);
}

/** The ledger stays on one server: what is in it would be lost. Its own accounts for money from outside don't count. */
async function checkLedger(source: Client): Promise<void> {
  const { rowCount } = await source.query("select from accounts where user_id <> 'system' limit 1");
  if (rowCount === 0) return;
  throw new ConversionRefused('This database has accounts, which a cluster can’t take over yet.');
}

/** A reader of the WAL by another slot would see nothing after the switch and never hear why. */
async function checkReaders(source: Client): Promise<void> {
  const { rows } = await source.query<{ name: string; plugin: string }>(
    `select slot_name as name, plugin from pg_replication_slots
     where slot_type = 'logical' and database = current_database()
       and (slot_name not in (select slot_name from cdc_positions) or slot_name like 'lab\\_notifications%')`,
  );
  if (rows.length === 0) return;
  const slots = rows.map(({ name, plugin }) => `${name} (${plugin})`).join(', ');
  throw new ConversionRefused(
    `Readers of the WAL that can't follow to a cluster: ${slots}. End them and drop their slots; --cdc native follows.`,
  );
}

/** Brings the cluster to the newest schema. @throws ConversionRefused when it is none, or is in use. */
export async function prepareTarget(target: Client, dsn: string): Promise<void> {
  const hint = 'Set up a coordinator first (lab up citus, or runtime/citus-cluster.ts).';
  if (!(await hasExtension(target, shardingExtension)))
    throw new ConversionRefused(`--to ${placeOf(dsn)} has no Citus. ${hint}`);
  const workers = await target.query('select from citus_get_active_worker_nodes()');
  if (workers.rowCount === 0) throw new ConversionRefused(`--to ${placeOf(dsn)} knows no workers. ${hint}`);
  await migrate({ dsn, topology: to });
}

/** @throws ConversionRefused when the cluster holds rows: they belong to another use of it. */
export async function expectEmpty(target: Client, dsn: string): Promise<void> {
  for (const name of [...convertedTables.filter((table) => table !== 'retention_settings'), 'order_owners']) {
    const { rowCount } = await target.query(`select from public.${name} limit 1`);
    if (rowCount !== 0) throw new ConversionRefused(`--to ${placeOf(dsn)} holds rows in ${name}: it has to be empty.`);
  }
}

/** The copy beside the rows, with the WAL of its writing. @throws ConversionRefused when it is known to be too much. */
export async function checkSpace(source: Client, target: Client, measureFree: FreeSpaceMeter): Promise<DiskSpace> {
  const { rows } = await source.query<{ bytes: number }>(
    `select sum(pg_total_relation_size(p.relid))::float8 as bytes from unnest($1::text[]) t, pg_partition_tree(t::regclass) p`,
    [[...convertedTables]],
  );
  const settings = await target.query<{ directory: string; wal: number }>(
    "select current_setting('data_directory') as directory, pg_size_bytes(current_setting('max_wal_size'))::float8 as wal",
  );
  const { directory, wal } = settings.rows[0]!;
  const bytes = rows[0]!.bytes;
  const neededBytes = Math.ceil(bytes * 1.5 + Math.min(wal, bytes));
  const freeBytes = await measureFree(directory);
  refuseShortDisk({ neededBytes, freeBytes });
  return { neededBytes, freeBytes };
}
