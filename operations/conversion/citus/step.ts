import type { Client } from 'pg';
import { forgetChanges, type LoggedChanges, planByKeys, replayAll } from '../../change-log.ts';
import { logOf } from '../logged-tables.ts';
import type { Round } from '../pace.ts';
import { type ConvertedTable, effectTables, list, rowHash } from './tables.ts';
import { type ImageRows, removeRows, writeRows } from './target.ts';

export interface Sides {
  /** The database that is left. */
  source: Client;
  /** The coordinator of the cluster. */
  target: Client;
  tables: readonly ConvertedTable[];
}

/**
 * One step of a conversion: in one snapshot of the source, what has changed is brought over, then the next rows of
 * `next` are copied. The target goes from the state of one snapshot to that of the next at once, so that its foreign
 * keys hold. It is committed first: a step that was broken off in between is done again, and ends in the same rows.
 * @param options.within Runs at the end of the snapshot, once the target has its state.
 * @returns what it brought over, and how many rows of `next` it read.
 */
export async function takeStep(
  sides: Sides,
  options: { next?: ConvertedTable; within?: () => Promise<void>; signal?: AbortSignal | undefined } = {},
): Promise<{ round: Round; read: number }> {
  const { source, target } = sides;
  const atMs = performance.now();
  await source.query('begin isolation level repeatable read');
  try {
    await target.query('begin');
    const brought = await bringChanges(sides, () => options.signal?.throwIfAborted());
    const workMs = performance.now() - atMs;
    const read = options.next ? await copyBatch(sides, options.next) : 0;
    await target.query('commit');
    await options.within?.();
    await source.query('commit');
    // It brought over all that waited.
    return { round: { atMs, waiting: brought, brought, workMs }, read };
  } catch (error) {
    await Promise.allSettled([target.query('rollback'), source.query('rollback')]);
    throw error;
  }
}

/**
 * Brings over every logged change that the source's transaction sees, in the transactions that the caller began on both
 * sides. Changes of a table whose copy has not begun are forgotten: the copy will see what they left.
 * @param goOn Called before each piece of work, to throw where the time is up.
 * @returns how many entries there were.
 */
export async function bringChanges({ source, target, tables }: Sides, goOn = () => {}): Promise<number> {
  await planByKeys(source);
  let total = 0;
  const removals: (() => Promise<void>)[] = [];
  for (const { table, started } of await withChanges(source, tables)) {
    const log = logOf(
      table.name,
      table.keys.map(({ name }) => name),
    );
    if (!started) {
      await forgetChanges(source, log);
      continue;
    }
    const bring = async (changes: LoggedChanges) => {
      const { goneJson, ...rows } = await readChanged(source, table, changes);
      await writeRows(target, table, rows);
      if (goneJson) removals.push(() => removeRows(target, table, goneJson));
    };
    total += await replayAll(source, log, table.batchRows, bring, goOn);
  }
  // Rows that refer to others go before them.
  for (const remove of removals.reverse()) {
    goOn();
    await remove();
  }
  if (total > 0) await source.query('update conversion.state set rounds = rounds + 1');
  return total;
}

/** The tables with logged changes, and whether their copy has begun. A key that moves is logged on the way: it comes last. */
async function withChanges(
  source: Client,
  tables: readonly ConvertedTable[],
): Promise<{ table: ConvertedTable; started: boolean }[]> {
  const looks = tables.map(
    ({ name }) =>
      `select '${name}' as name where '${name}' = 'webhook_keys' or exists (select from conversion.changes_${name})`,
  );
  const { rows } = await source.query<{ name: string; started: boolean }>(
    `select name, t.copied or t.end_key is not null as started
     from (${looks.join(' union all ')}) l join conversion.tables t on t.table_name = l.name`,
  );
  const found = new Map(rows.map((row) => [row.name, row.started]));
  return tables.flatMap((table) => (found.has(table.name) ? [{ table, started: found.get(table.name)! }] : []));
}

/** What the rows of logged changes are now; `goneJson` has the keys of those that are no more, null where there are none. */
async function readChanged(
  source: Client,
  table: ConvertedTable,
  { entries, count }: LoggedChanges,
): Promise<ImageRows & { goneJson: string | null }> {
  const { name, keys } = table;
  const wanted = `select distinct ${list(keys)} from ${entries} e`;
  const selection = `select i.* from (${wanted}) w join conversion.image_${name} i on (${list(keys, 'i.')}) = (${list(keys, 'w.')})`;
  const rows = await readImage(source, table, selection);
  const gone = await source.query<{ gone: string | null }>(
    `select json_agg(w)::text as gone from (${wanted}) w
     where not exists (select from public.${name} s where (${list(keys, 's.')}) = (${list(keys, 'w.')}))`,
  );
  await source.query('update conversion.tables set changes_applied = changes_applied + $2 where table_name = $1', [
    name,
    count,
  ]);
  return { ...rows, goneJson: gone.rows[0]!.gone };
}

/**
 * Copies the next rows in the order of their keys, up to the key that was the last one when the copy began: whatever
 * comes later is logged. @returns how many rows were read; fewer than a batch means the end.
 */
async function copyBatch({ source, target }: Sides, table: ConvertedTable): Promise<number> {
  const { name, keys, timeColumn } = table;
  const reached = (from: string) =>
    `select array[${keys.map((key) => `${key.name}::text`).join(', ')}] as key from ${from}
     order by ${keys.map((key) => `${key.name} desc`).join(', ')} limit 1`;
  await source.query(
    `update conversion.tables set end_key = (${reached(`public.${name}`)}), copied = not exists (select from public.${name})
     where table_name = $1 and end_key is null`,
    [name],
  );
  const { rows } = await source.query<{ last_key: string[] | null; end_key: string[] | null }>(
    'select last_key, end_key from conversion.tables where table_name = $1',
    [name],
  );
  const { last_key: last, end_key: end } = rows[0]!;
  if (end === null) return 0;
  const values: string[] = [];
  const literal = (key: string[]) =>
    key.map((value, index) => `$${values.push(value)}::${keys[index]!.type}`).join(', ');
  const conditions = [`(${list(keys)}) <= (${literal(end)})`];
  if (last) conditions.push(`(${list(keys)}) > (${literal(last)})`);
  if (timeColumn) conditions.push(`${timeColumn} >= ${firstKeptDay(name)}`);
  const selection = `select * from conversion.image_${name} where ${conditions.join(' and ')} order by ${list(keys)} limit ${table.batchRows}`;
  const batch = await readImage(source, table, selection, { values, reached: reached('batch') });
  await writeRows(target, table, batch);
  await source.query(
    `update conversion.tables set last_key = coalesce($2, last_key), rows_copied = rows_copied + $3, copied = $4
     where table_name = $1`,
    [name, batch.reached, batch.count, batch.count < table.batchRows],
  );
  return batch.count;
}

/** SQL for the beginning of the first day that retention has certainly not dropped yet. */
export function firstKeptDay(table: string): string {
  return `(select date_trunc('day', (now() - retention) at time zone 'UTC') at time zone 'UTC'
           from public.retention_settings where table_name = '${table}')`;
}

/** Reads what a selection of an image holds, and notes whose the effects in it are. */
async function readImage(
  source: Client,
  table: ConvertedTable,
  selection: string,
  { values = [], reached = 'null::text[]' }: { values?: string[]; reached?: string } = {},
): Promise<{ count: number; json: string; hash: string; reached: string[] | null }> {
  const { rows } = await source.query<{ count: number; json: string; hash: string; reached: string[] | null }>(
    `with batch as materialized (${selection})${effectTables.includes(table.name) ? noteEffects : ''}
     select count(*)::int as count, coalesce(json_agg(batch), '[]')::text as json,
            coalesce(sum(${rowHash(table.columns)}::numeric), 0)::text as hash, (${reached}) as reached
     from batch`,
    values,
  );
  return rows[0]!;
}

/** A key whose effect moves to another user, since its event no longer waits for its order, is written again. */
const noteEffects = `,
  effects as (select distinct on (provider, provider_event_id) provider, provider_event_id, user_id from batch
              where provider_event_id is not null order by provider, provider_event_id),
  moved as (insert into conversion.changes_webhook_keys (removed, provider, provider_event_id)
            select false, n.provider, n.provider_event_id from effects n join conversion.effects e using (provider, provider_event_id)
            where n.user_id <> e.user_id),
  noted as (insert into conversion.effects as e (provider, provider_event_id, user_id)
            select provider, provider_event_id, user_id from effects
            on conflict (provider, provider_event_id) do update set user_id = excluded.user_id
            where e.user_id <> excluded.user_id)`;
