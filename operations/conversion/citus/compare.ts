import type { Client } from 'pg';
import { firstKeptDay, type Sides } from './step.ts';
import { type Column, type ConvertedTable, rowHash } from './tables.ts';

export interface Comparison {
  table: string;
  rows: number;
  /** Of all rows, in the currencies' smallest units, as digits; null where the table has no amounts. */
  amountMinor: string | null;
}

/**
 * Compares what the source's transaction sees with what the target has: number of rows, sum of the amounts, and an
 * order-independent hash of all columns. Rows of days that retention may have dropped by now are left out on both
 * sides.
 * @throws Error that names what differs.
 */
export async function compareSides({ source, target, tables }: Sides): Promise<Comparison[]> {
  // Whole tables are read here.
  await source.query('set local enable_seqscan = on; set local enable_hashjoin = on; set local enable_mergejoin = on');
  const compared: Comparison[] = [];
  for (const table of tables) {
    const since = await readSince(source, table);
    if (table.name === 'webhook_keys') await compareKeys(source, target, table);
    const where = table.name === 'webhook_keys' ? `where ${ownedKeys}` : since;
    const summary = summaryOf(table.columns);
    const [here, there] = await Promise.all([
      readOne(source, `select ${summary} from conversion.image_${table.name} ${where}`),
      readOne(target, `select ${summary} from public.${table.name} ${where}`),
    ]);
    expectEqual(table.name, here, there);
    compared.push({ table: table.name, rows: Number(here.rows), amountMinor: here.amount });
  }
  await compareOwners(target);
  return compared;
}

interface Summary {
  rows: string;
  amount: string | null;
  hash: string;
}

function summaryOf(columns: readonly Column[]): string {
  const amount = columns.some(({ name }) => name === 'amount_minor') ? 'coalesce(sum(amount_minor), 0)::text' : 'null';
  return `count(*)::text as rows, ${amount} as amount, coalesce(sum(${rowHash(columns)}::numeric), 0)::text as hash`;
}

/** Keys with an owner. One that waited for its order is also where it waited, as in a cluster that was always one. */
const ownedKeys = "user_id not like '#%'";

/** Every key once, wherever it lies. */
async function compareKeys(source: Client, target: Client, { name, columns }: ConvertedTable): Promise<void> {
  const ofSource = columns.filter((column) => column.name !== 'user_id');
  const names = ofSource.map((column) => column.name).join(', ');
  const summary = summaryOf(ofSource);
  const [here, there] = await Promise.all([
    readOne(source, `select ${summary} from public.${name}`),
    readOne(target, `select ${summary} from (select distinct ${names} from public.${name}) as once`),
  ]);
  expectEqual(name, here, there);
}

/** Every order has its owner, and no other has one; each order that is not known yet and waited for is noted. */
async function compareOwners(target: Client): Promise<void> {
  const summary =
    "count(*)::text as rows, null as amount, coalesce(sum(hashtextextended(order_id || ' ' || user_id, 0)::numeric), 0)::text as hash";
  const orders = await readOne(target, `select ${summary} from public.orders`);
  const owners = await readOne(
    target,
    `select ${summary} from public.order_owners where user_id is not null and attempt_of is null`,
  );
  expectEqual('order_owners', orders, owners);
  const { rows } = await target.query<{ id: string }>(
    "select distinct coalesce(attempt_reference, order_id) as id from public.parked_webhooks where user_id like '#%'",
  );
  const noted = await target.query('select from public.order_owners where waiting and order_id = any ($1::text[])', [
    rows.map(({ id }) => id),
  ]);
  if (noted.rowCount !== rows.length) {
    throw new Error(
      `order_owners: webhooks wait for ${rows.length} orders or attempts, and ${noted.rowCount} of them are noted.`,
    );
  }
}

async function readSince(source: Client, { name, timeColumn }: ConvertedTable): Promise<string> {
  if (timeColumn === null) return '';
  const { rows } = await source.query<{ since: string }>(`select ${firstKeptDay(name)}::text as since`);
  return `where ${timeColumn} >= '${rows[0]!.since}'`;
}

async function readOne(client: Client, query: string): Promise<Summary> {
  return (await client.query<Summary>(query)).rows[0]!;
}

function expectEqual(name: string, here: Summary, there: Summary): void {
  if (here.rows === there.rows && here.amount === there.amount && here.hash === there.hash) return;
  const describe = ({ rows, amount, hash }: Summary) =>
    `${rows} rows${amount === null ? '' : `, amounts ${amount}`}, hash ${hash}`;
  throw new Error(
    `${name}: the copy differs. Expected ${describe(here)}; found ${describe(there)}. Undo it with --abort.`,
  );
}
