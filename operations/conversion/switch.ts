import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { applyRest, type CopyOptions, catchUpForSwitch } from './copy.ts';
import { tablesWhere } from './logged-tables.ts';
import { withNotedLock } from './noted-lock.ts';
import { type ConversionPlan, ConversionRefused } from './preflight.ts';
import { addPartitions, releaseChanges, type StepOptions } from './prepare.ts';

/**
 * Puts the partitioned tables in the place of the plain ones, in one short transaction.
 * @returns changes that were brought over under the locks.
 */
export async function switchTables(
  client: Client,
  plan: ConversionPlan,
  options: CopyOptions & StepOptions,
): Promise<number> {
  const tables = await tablesWhere(client, 'true');
  for (const table of tables) {
    // Days may have passed since the partitions were made. Statistics of a partitioned table come from ANALYZE alone.
    await addPartitions(client, table, options);
    await client.query(`analyze conversion.${table}`);
  }
  await client.query('analyze conversion.webhook_keys');
  const hashes = Object.fromEntries(plan.migrations.map(({ name, sha256 }) => [name, sha256]));
  const names = tables.map((table) => `public.${table}`);
  // From here on nothing rests: what is left over has to be little when the locks come.
  const beforeRetry = () => catchUpForSwitch(client, options);
  await beforeRetry();
  return withNotedLock(
    client,
    {
      ...options,
      step: 'switch',
      lock: `lock table ${names.join(', ')} in access exclusive mode`,
      tables: names,
      beforeRetry,
    },
    async (_client, goOn) => {
      const applied = await applyRest(client, goOn);
      await client.query(`set local statement_timeout = ${Math.ceil(goOn())}`);
      await client.query('select conversion.switch_tables($1)', [JSON.stringify(hashes)]);
      return applied;
    },
  );
}

/**
 * Removes what only a plain API needs, then the plain tables and all traces of the conversion.
 * @param options.observeMs How long to watch for an API that still runs as plain.
 * @param options.observations How often: more than once where one that was just restarted may have work under way.
 * @throws ConversionRefused when there is one.
 */
export async function finishConversion(
  client: Client,
  options: StepOptions & { observeMs: number; observations: number },
): Promise<void> {
  for (let left = options.observations; ; left -= 1) {
    const before = await keysFilled(client);
    await delay(options.observeMs);
    const filled = (await keysFilled(client)) - before;
    if (filled === 0) break;
    if (left > 1) continue;
    throw new ConversionRefused(
      `A service still runs as plain: ${filled} of its transactions came in the last ${options.observeMs} ms. ` +
        'Restart it with TOPOLOGY=partitioned, then --finish.',
    );
  }
  await withNotedLock(
    client,
    {
      ...options,
      step: 'finish',
      lock: 'lock table public.webhook_deliveries in access exclusive mode',
      tables: ['public.webhook_deliveries'],
    },
    () => client.query('select conversion.finish()'),
  );
}

/** Drops the plain tables, the change logs and the functions: nothing uses them any more. */
export async function dropLeftovers(client: Client): Promise<void> {
  // The converter alone would tell of it.
  await client.query("set client_min_messages = 'warning'");
  await client.query('drop schema if exists conversion_source cascade');
  await client.query('drop schema if exists conversion cascade');
}

/** Undoes a conversion that has not switched yet. */
export async function abortConversion(client: Client, options: StepOptions): Promise<void> {
  await client.query("update conversion.state set phase = 'aborting'");
  await releaseChanges(client, options);
  // One transaction a table: each partition takes locks, and a server has only so many.
  for (const table of await tablesWhere(client, 'true')) await client.query('select conversion.discard($1)', [table]);
  const { rows } = await client.query('select made_partman from conversion.state');
  if (rows[0]?.made_partman) await client.query('drop extension if exists pg_partman; drop schema if exists partman');
  await dropLeftovers(client);
}

async function keysFilled(client: Client): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    'select (last_value - case when is_called then 0 else 1 end)::float8 as count from conversion.keys_filled',
  );
  return rows[0]!.count;
}
