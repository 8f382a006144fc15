import type { Client } from 'pg';

/** One change of one row behind the application's back. */
export interface Mutation {
  /** As in `orders.status: another value`. */
  name: string;
  sql: string;
}

interface Column {
  table: Table;
  name: string;
  type: string;
}

/**
 * Tables that webhooks are written to, with what tells their rows apart in every run of the same traffic. Those of the
 * ledger and of payments are not among them.
 */
const tables = {
  webhook_deliveries: 'provider_event_id || verdict',
  orders: 'order_id',
  order_events: 'order_id || sequence',
  order_attempts: 'reference',
  disputes: 'dispute_id',
  dispute_events: 'dispute_id || sequence',
  outbox: 'aggregate_id || sequence',
  parked_webhooks: 'provider_event_id',
  quarantined_webhooks: 'provider_event_id || digest',
} as const;

type Table = keyof typeof tables;

/** Another value of the same type, as an expression over the column; a type without one is not mutated. */
const others: Readonly<Record<string, (column: string) => string>> = {
  text: (column) => `${column} || 'x'`,
  'character(3)': (column) => `case when ${column} = 'EUR' then 'USD' else 'EUR' end`,
  bigint: (column) => `${column} + 1`,
  integer: (column) => `${column} + 1`,
  boolean: (column) => `not ${column}`,
  uuid: () => 'gen_random_uuid()',
  bytea: (column) => `sha256(${column})`,
  jsonb: (column) => `${column} || '{"mutated": true}'`,
  'timestamp with time zone': (column) => `${column} + interval '1 hour'`,
};

/** Words that a column may hold, where another text would be refused. */
const words: Readonly<Record<string, readonly string[]>> = {
  'webhook_deliveries.verdict': ['applied', 'stale', 'duplicate', 'parked', 'ignored', 'quarantined'],
  'orders.status': ['created', 'updated', 'success', 'failed'],
  'disputes.status': ['open', 'under_review', 'won', 'lost'],
  'order_events.kind': ['webhook_received', 'hold_set', 'hold_released'],
  'dispute_events.kind': ['webhook_opened', 'webhook_updated', 'evidence_added'],
};

/** Each column of each table with another value, and a row of each table gone; `seed` chooses the rows. */
export async function planMutations(client: Client, seed: number): Promise<Mutation[]> {
  const { rows } = await client.query<Column>(
    `select c.relname as table, a.attname as name, format_type(a.atttypid, a.atttypmod) as type
     from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace = 'public'::regnamespace and c.relname = any ($1) and a.attnum > 0 and not a.attisdropped
       and a.attgenerated = ''
     order by array_position($1, c.relname::text), a.attnum`,
    [Object.keys(tables)],
  );
  const ofColumns = rows.flatMap((column) => mutationsOf(column, seed));
  const ofRows = (Object.keys(tables) as Table[]).map((table) => ({
    name: `${table}: a row is gone`,
    sql: `delete from ${table} where ${oneRow(table, 'true', seed)}`,
  }));
  return [...ofColumns, ...ofRows];
}

function mutationsOf({ table, name, type }: Column, seed: number): Mutation[] {
  const change = (value: string, what: string, condition: string): Mutation => ({
    name: `${table}.${name}: ${what}`,
    sql: `update ${table} set ${name} = ${value} where ${oneRow(table, condition, seed)}`,
  });
  const allowed = words[`${table}.${name}`];
  if (allowed) return allowed.map((word) => change(`'${word}'`, word, `${name} <> '${word}'`));
  const other = others[type];
  return other ? [change(other(name), 'another value', `${name} is not null`)] : [];
}

/** One row by the seed. */
function oneRow(table: Table, condition: string, seed: number): string {
  const row = `select tableoid, ctid from ${table} where ${condition} order by md5(${tables[table]} || '${seed}') limit 1`;
  return `(tableoid, ctid) in (${row})`;
}
