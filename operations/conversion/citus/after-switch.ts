import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { withClient } from '../../../kernel/postgres/with-client.ts';
import { ConversionRefused } from '../preflight.ts';
import { type CdcReport, drainSlot, dropSlot, dropWorkerSlots, readSlots, workerDsns } from './cdc.ts';
import type { CitusConvertOptions } from './options.ts';

/** What is known once the switch has been followed up. */
export interface FollowedUp {
  phase: 'switched' | 'finished';
  cdc: CdcReport | null;
  afterPerSecond: number | null;
}

interface Places {
  source: Client;
  target: Client;
  targetDsn: string;
}

/** What follows the switch. Each part may be done twice, by a call that resumes. */
export async function afterSwitch(
  places: Places,
  options: Pick<
    CitusConvertOptions,
    'action' | 'restartServices' | 'restartCdc' | 'measureMs' | 'drainTimeoutMs' | 'progress'
  >,
): Promise<FollowedUp> {
  const { source } = places;
  // Webhooks wait for this one.
  if (options.action !== 'finish' && options.restartServices) {
    await options.restartServices();
    await source.query('update conversion.state set serving_at = clock_timestamp() where serving_at is null');
    options.progress('the services run on the cluster');
  }
  const cdc = await endOldReader(places, options);
  if (options.action !== 'finish' && !options.restartServices) return { phase: 'switched', cdc, afterPerSecond: null };
  await options.restartCdc?.();
  if (cdc?.slot && !(await dropSlot(source, cdc.slot))) {
    throw new ConversionRefused(
      `Slot ${cdc.slot} is still read. Restart change data capture with WORKER_DATABASE_URLS, then --finish.`,
    );
  }
  await bringDeadLetters(places);
  const { rows } = await source.query<{ name: string }>('select quote_ident(current_database()) as name');
  await source.query(`alter database ${rows[0]!.name} set default_transaction_read_only = on`);
  return { phase: 'finished', cdc, afterPerSecond: await measureAfter(places.targetDsn, options.measureMs) };
}

/** Lets the reader of the source come to its end. Where it does not, those of the workers begin with a load. */
async function endOldReader(
  { source, target, targetDsn }: Places,
  { progress, drainTimeoutMs = 60_000 }: Pick<CitusConvertOptions, 'progress' | 'drainTimeoutMs'>,
): Promise<CdcReport | null> {
  const [slot] = await readSlots(source);
  const workers = await workerDsns(target, targetDsn);
  const known = await source.query<{ drained: boolean | null }>('select drained from conversion.state');
  let drained = known.rows[0]!.drained;
  if (slot === undefined) return drained === null ? null : { slot: null, workers: workers.length, drained };
  if (drained === null) {
    progress(`waiting until slot ${slot} is read to its end`);
    drained = await drainSlot(source, slot, drainTimeoutMs);
    if (!drained) {
      progress(`slot ${slot} was not read to its end: the readers of the workers load the outbox`);
      await dropWorkerSlots(slot, workers);
    }
    await source.query('update conversion.state set drained = $1', [drained]);
  }
  return { slot, workers: workers.length, drained };
}

/** Dead letters that are read at once: each has an event's envelope. */
const deadLettersAtOnce = 200;

/** What the sink of the old reader refused: at the coordinator, since no worker has that reader. */
async function bringDeadLetters({ source, target }: Places): Promise<void> {
  let last = { slot: '', event: '00000000-0000-0000-0000-000000000000' };
  for (;;) {
    const { rows } = await source.query<{ dead_letters: string | null; slot: string; event: string }>(
      `select json_agg(d order by slot_name, event_id)::text as dead_letters,
              (array_agg(slot_name order by slot_name desc, event_id desc))[1] as slot,
              (array_agg(event_id::text order by slot_name desc, event_id desc))[1] as event
       from (select * from cdc_dead_letters where (slot_name, event_id) > ($1, $2::uuid)
             order by slot_name, event_id limit ${deadLettersAtOnce}) d`,
      [last.slot, last.event],
    );
    const { dead_letters: deadLetters, ...reached } = rows[0]!;
    if (deadLetters === null) return;
    await target.query(
      `insert into cdc_dead_letters select * from json_populate_recordset(null::cdc_dead_letters, $1::json) on conflict do nothing`,
      [deadLetters],
    );
    last = reached;
  }
}

/** Deliveries a second at the new place. */
async function measureAfter(dsn: string, overMs: number): Promise<number> {
  return withClient(dsn, async (client) => {
    const from = await client.query<{ at: Date }>('select clock_timestamp() as at');
    await delay(overMs);
    const { rows } = await client.query<{ count: number }>(
      `select count(*)::float8 as count from webhook_deliveries where received_at >= $1 and received_at < $1 + make_interval(secs => $2)`,
      [from.rows[0]!.at, overMs / 1_000],
    );
    return Math.round(rows[0]!.count / (overMs / 1_000));
  });
}
