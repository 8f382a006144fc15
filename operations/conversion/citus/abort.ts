import type { Client } from 'pg';
import { ConversionRefused, type ConversionState } from '../preflight.ts';
import { releaseChanges } from '../prepare.ts';
import { openSession } from '../session.ts';
import { dropWorkerSlots, readSlots, workerDsns } from './cdc.ts';
import type { CitusConvertOptions } from './options.ts';
import { placeOf } from './preflight.ts';
import { convertedTables } from './tables.ts';

/** Undoes what was done before the switch, at the target first: while the source has the state, this can be repeated. */
export async function abortMove(source: Client, state: ConversionState, options: CitusConvertOptions): Promise<void> {
  const targetDsn = options.discardTarget ? undefined : await options.openTarget();
  if (targetDsn !== undefined && placeOf(targetDsn) !== state.targetDatabase) {
    throw new ConversionRefused(`The conversion goes to ${state.targetDatabase}: name that one with --to.`);
  }
  await source.query("update conversion.state set phase = 'aborting'");
  if (targetDsn === undefined) await options.discardTarget?.();
  else await emptyTarget(source, targetDsn);
  await releaseChanges(source, options);
  await source.query('drop schema conversion cascade');
}

async function emptyTarget(source: Client, dsn: string): Promise<void> {
  const target = await openSession(dsn);
  try {
    for (const slot of await readSlots(source)) await dropWorkerSlots(slot, await workerDsns(target, dsn));
    const tables = convertedTables.filter((name) => name !== 'retention_settings');
    await target.query(`truncate ${[...tables, 'order_owners'].join(', ')}`);
  } finally {
    await target.end();
  }
}
