import type { Client } from 'pg';

/**
 * What is converted, in the order in which it is copied and locked: a table that others refer to comes before them, and
 * orders are the first table that every webhook's transaction locks, so that a session that holds them waits for no other.
 */
export const convertedTables = [
  'orders',
  'order_attempts',
  'disputes',
  'evidence',
  'evidence_files',
  'captures',
  'parked_webhooks',
  'quarantined_webhooks',
  'order_events',
  'dispute_events',
  'webhook_keys',
  'webhook_deliveries',
  'outbox',
  'users',
  'sessions',
  'login_throttles',
  'security_events',
  'retention_settings',
] as const;

/** Belong to the server and its readers: each database has its own. Dead letters are brought over at the end. */
export const bookkeepingTables = ['schema_migrations', 'cdc_positions', 'cdc_dead_letters'] as const;

/** A database in which a user has an account is refused: a cluster keeps its ledger on the coordinator, and begins without. */
export const ledgerTables = [
  'accounts',
  'transfers',
  'postings',
  'balance_deltas',
  'holds',
  'idempotency_keys',
  'payments',
  'payment_events',
  'refunds',
  'payment_commands',
] as const;

/** Their process is ended before a conversion, and begins anew on the cluster. */
export const notificationTables = ['notifications', 'notification_preferences', 'webhook_endpoints'] as const;

/** Their rows are the effect of a provider event, by which its key and its delivery learn their user. */
export const effectTables: readonly string[] = ['parked_webhooks', 'order_events', 'dispute_events'];

/** Files are up to some MB each, and a batch is in memory as a whole. */
const mostRows: Readonly<Record<string, number>> = { evidence_files: 5 };

export interface ConvertedTable {
  name: string;
  /** The source's primary key. */
  keys: Column[];
  /** Of the target. */
  columns: Column[];
  targetKeys: string[];
  /** By which retention drops whole days at the source; null where it does not. */
  timeColumn: string | null;
  batchRows: number;
}

export interface Column {
  name: string;
  /** As in `character(3)`. */
  type: string;
}

/** What source and target say about the tables. The source has the images already, the target its schema. */
export async function readTables(source: Client, target: Client, batchRows: number): Promise<ConvertedTable[]> {
  const found = await source.query<{ name: string; keys: Column[]; time_column: string | null }>(
    `select t.table_name as name, t.time_column,
            (select json_agg(json_build_object('name', k.name, 'type', format_type(a.atttypid, a.atttypmod)) order by k.position)
             from unnest(t.key_columns) with ordinality as k (name, position)
             join pg_attribute a on a.attrelid = format('public.%I', t.table_name)::regclass and a.attname = k.name) as keys
     from conversion.tables t order by t.lock_position`,
  );
  const tables: ConvertedTable[] = [];
  for (const { name, keys, time_column } of found.rows) {
    const columns = await columnsOf(target, `public.${name}`);
    const image = await columnsOf(source, `conversion.image_${name}`);
    const names = (list: Column[]) =>
      list
        .map((column) => column.name)
        .sort()
        .join(', ');
    // A column that is not copied would end empty.
    if (names(columns) !== names(image)) {
      throw new Error(`${name}: the conversion makes ${names(image)}, and the target has ${names(columns)}.`);
    }
    const { rows } = await target.query<{ name: string }>(
      `select a.attname as name from pg_index i
       cross join lateral unnest(i.indkey) with ordinality as k (attnum, position)
       join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
       where i.indrelid = $1::regclass and i.indisprimary order by k.position`,
      [`public.${name}`],
    );
    tables.push({
      name,
      keys,
      columns,
      targetKeys: rows.map((row) => row.name),
      timeColumn: time_column,
      batchRows: Math.min(batchRows, mostRows[name] ?? batchRows),
    });
  }
  return tables;
}

async function columnsOf(client: Client, relation: string): Promise<Column[]> {
  const { rows } = await client.query<Column>(
    `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
    [relation],
  );
  return rows;
}

/** `a, b`, with a prefix for each. */
export function list(columns: readonly Column[], prefix = ''): string {
  return columns.map(({ name }) => `${prefix}${name}`).join(', ');
}

/**
 * SQL for the 64-bit hash of a row. Servers of different versions and settings say the same: times are numbers, and
 * bytes are digests.
 */
export function rowHash(columns: readonly Column[], prefix = ''): string {
  const values = columns.map(({ name, type }) => {
    if (type.startsWith('timestamp')) return `extract(epoch from ${prefix}${name})`;
    return type === 'bytea' ? `md5(${prefix}${name})` : `${prefix}${name}`;
  });
  return `hashtextextended(row(${values.join(', ')})::text, 0)`;
}
