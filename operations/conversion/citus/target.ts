import type { Client } from 'pg';
import { type ConvertedTable, list, rowHash } from './tables.ts';

/** Rows of an image as a JSON array, with their number and the sum of their hashes. */
export interface ImageRows {
  count: number;
  json: string;
  hash: string;
}

/**
 * Writes rows over what the target has under their keys, in the caller's transaction, and looks at what was stored.
 * @throws Error when that is not what was sent.
 */
export async function writeRows(target: Client, table: ConvertedTable, rows: ImageRows): Promise<void> {
  if (rows.count === 0) return;
  const { name, columns, targetKeys } = table;
  const changed = columns.filter((column) => !targetKeys.includes(column.name));
  const stored = await target.query<{ hash: string }>(
    `insert into public.${name} (${list(columns)})
     select ${list(columns)} from json_populate_recordset(null::public.${name}, $1::json)
     on conflict (${targetKeys.join(', ')}) do update set ${changed.map((one) => `${one.name} = excluded.${one.name}`).join(', ')}
     returning ${rowHash(columns)}::text as hash`,
    [rows.json],
  );
  const hash = stored.rows.reduce((sum, row) => sum + BigInt(row.hash), 0n);
  if (stored.rows.length !== rows.count || hash !== BigInt(rows.hash)) {
    throw new Error(`${name}: ${rows.count} rows were sent, and ${stored.rows.length} others stored.`);
  }
  const owners = ownersOf[name];
  if (owners) await target.query(owners, [rows.json]);
}

/** Removes the rows with these keys of the source, in the caller's transaction. */
export async function removeRows(target: Client, table: ConvertedTable, keysJson: string): Promise<void> {
  const { name, keys } = table;
  const typed = keys.map((key) => `${key.name} ${key.type}`).join(', ');
  await target.query(
    `delete from public.${name} t using json_to_recordset($1::json) as k (${typed}) where (${list(keys, 't.')}) = (${list(keys, 'k.')})`,
    [keysJson],
  );
  if (name === 'orders') {
    await target.query(
      'delete from public.order_owners o using json_to_recordset($1::json) as k (order_id text) where o.order_id = k.order_id',
      [keysJson],
    );
  }
}

/** Whose an order is, and whether something waits for one that is not introduced yet: see 0090_distribute.sql. */
const ownersOf: Readonly<Record<string, string>> = {
  orders: `insert into public.order_owners (order_id, user_id, created_at)
    select order_id, user_id, created_at from json_populate_recordset(null::public.orders, $1::json)
    on conflict (order_id) do update set user_id = excluded.user_id`,
  order_attempts: `insert into public.order_owners (order_id, user_id, attempt_of, created_at)
    select a.reference, o.user_id, a.order_id, o.created_at
    from json_populate_recordset(null::public.order_attempts, $1::json) a
    join public.order_owners o on o.order_id = a.order_id
    on conflict (order_id) do update set user_id = excluded.user_id, attempt_of = excluded.attempt_of`,
  parked_webhooks: `insert into public.order_owners (order_id, waiting)
    select distinct coalesce(attempt_reference, order_id), true from json_populate_recordset(null::public.parked_webhooks, $1::json)
    where user_id like '#%'
    on conflict (order_id) do update set waiting = true`,
};
