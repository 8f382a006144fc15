import type { Client } from 'pg';
import { conversions } from '../../kernel/topology.ts';
import { waitUntil } from '../../kernel/wait.ts';
import type { LockReport } from '../short-lock.ts';
import { type Comparison, compareTables, copyTables } from './copy.ts';
import type { FreeSpaceMeter } from './disk-space.ts';
import {
  ConversionRefused,
  checkDisk,
  checkSource,
  type DiskSpace,
  planConversion,
  readState,
  refuseAfterAbort,
} from './preflight.ts';
import { captureChanges, createConversion, makePartitions } from './prepare.ts';
import { openSession } from './session.ts';
import { abortConversion, dropLeftovers, finishConversion, switchTables } from './switch.ts';
import { countDeliveries, measureThroughput, rateBetween } from './throughput.ts';

export interface ConvertOptions {
  /** postgresql:// URL of the owner of the tables. */
  dsn: string;
  action: 'start' | 'resume' | 'finish' | 'abort';
  /** Rows of one copy transaction. */
  batchRows: number;
  /** Share of the time in which the copy works, above 0 to 1. */
  duty: number;
  /** Longest time that a lock may hold up other sessions. */
  maxLockMs: number;
  /** Compares the whole tables with their copies before the switch. */
  compare: boolean;
  /** Over how long throughput is measured before and after. */
  measureMs: number;
  measureFree: FreeSpaceMeter;
  /** Restarts the services as partitioned. Without it the conversion ends after the switch, and waits for `finish`. */
  restartServices?: (() => Promise<void>) | undefined;
  /** How often a lock is tried for. */
  lockAttempts?: number;
  /** For tests: runs when all is copied. */
  beforeSwitch?: () => Promise<void>;
  progress(line: string): void;
  signal?: AbortSignal;
}

export interface ConversionResult {
  phase: 'switched' | 'finished' | 'aborted';
  /** Of this call. */
  durationMs: number;
  /** Of the whole conversion, over all calls. */
  rowsCopied: number;
  changesApplied: number;
  changesInSwitch: number | null;
  compared: Comparison[] | null;
  locks: LockReport[];
  /** How long the restart of the services took; null where it was not ours to do. */
  restartMs: number | null;
  /** The longest time that a lock, and the wait for it, held up others. */
  longestLockMs: number;
  disk: DiskSpace | null;
  /** Webhooks a second; null where it was not measured. */
  throughput: { beforePerSecond: number | null; duringPerSecond: number | null; afterPerSecond: number | null };
}

/** Session lock: one converter at a time. The number only has to be the lab's own. */
const lockId = 7_203_114_885_122;

/**
 * Converts a plain database to the partitioned topology while it is in use: copies, brings over what changes meanwhile,
 * switches in one short transaction, and cleans up once the services run as partitioned. A call that was killed can be
 * resumed, or undone until the switch.
 * @throws ConversionRefused when it can't begin or go on in this way.
 */
export async function convertToPartitioned(options: ConvertOptions): Promise<ConversionResult> {
  const client = await openSession(options.dsn);
  try {
    await lockOutOthers(client);
    return await run(client, options);
  } finally {
    await client.end();
  }
}

/** A converter that was killed keeps the lock until its server process notices. */
export async function lockOutOthers(client: Client): Promise<void> {
  const locked = async () => {
    const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [lockId]);
    return rows[0]!.locked;
  };
  if (await waitUntil(locked, { timeoutMs: 10_000, intervalMs: 100 })) return;
  throw new ConversionRefused('Another converter works on this database.');
}

async function run(client: Client, options: ConvertOptions): Promise<ConversionResult> {
  const started = performance.now();
  const outcome: Outcome = {
    changesInSwitch: null,
    compared: null,
    disk: null,
    restartMs: null,
    duringPerSecond: null,
  };
  const state = await readState(client, conversions.inPlace.to);
  refuseAfterAbort(state, options.action);
  if (options.action === 'abort') {
    if (!state) throw new ConversionRefused('There is no conversion to undo.');
    if (state.phase === 'switched')
      throw new ConversionRefused('The switch is done; it can only be finished: --finish.');
    const report = await describe(client, outcome);
    await abortConversion(client, options);
    return { ...report, phase: 'aborted', durationMs: performance.now() - started };
  }
  if (options.action === 'finish' && state?.phase !== 'switched') {
    throw new ConversionRefused(state ? 'The switch is still to come: --resume.' : 'There is no conversion to finish.');
  }
  if (options.action === 'resume' && !state) throw new ConversionRefused('There is no conversion to resume.');
  if (state?.phase !== 'switched') await copyAndSwitch(client, options, outcome);
  const restarted = options.action === 'finish' || options.restartServices !== undefined;
  if (options.action !== 'finish' && options.restartServices) {
    const asked = performance.now();
    await options.restartServices();
    outcome.restartMs = performance.now() - asked;
  }
  if (!restarted) {
    const report = await describe(client, outcome);
    return { ...report, phase: 'switched', durationMs: performance.now() - started };
  }
  const observations = options.action === 'finish' ? 1 : 10;
  await finishConversion(client, { ...options, observeMs: Math.max(options.measureMs, 500), observations });
  const afterPerSecond = await measureThroughput(options.dsn, options.measureMs);
  const { throughput, ...report } = await describe(client, outcome);
  await dropLeftovers(client);
  const durationMs = performance.now() - started;
  return { ...report, throughput: { ...throughput, afterPerSecond }, phase: 'finished', durationMs };
}

interface Outcome {
  changesInSwitch: number | null;
  compared: Comparison[] | null;
  disk: DiskSpace | null;
  restartMs: number | null;
  duringPerSecond: number | null;
}

async function copyAndSwitch(client: Client, options: ConvertOptions, outcome: Outcome): Promise<void> {
  const { progress } = options;
  const plan = await planConversion();
  if (options.action === 'start') {
    await checkSource(client, plan);
    outcome.disk = await checkDisk(client, plan.tables, options.measureFree);
    progress('measuring the throughput before');
    const beforePerSecond = await measureThroughput(options.dsn, options.measureMs);
    await createConversion(client, plan, beforePerSecond);
  }
  const from = await countDeliveries(options.dsn);
  await makePartitions(client, options);
  await captureChanges(client, options);
  await copyTables(client, options);
  if (options.compare) {
    progress('comparing the copies with the tables');
    outcome.compared = await compareTables(client);
  }
  outcome.duringPerSecond = rateBetween(from, await countDeliveries(options.dsn));
  await options.beforeSwitch?.();
  progress('switching');
  outcome.changesInSwitch = await switchTables(client, plan, options);
  progress('switched');
}

async function describe(client: Client, outcome: Outcome): Promise<Omit<ConversionResult, 'phase' | 'durationMs'>> {
  const locks = await client.query<LockReport>(
    'select step, taken, waited_ms as "waitedMs", held_ms as "heldMs" from conversion.locks order by lock_id',
  );
  const sums = await client.query<{ rows: number; changes: number; before: number | null }>(
    `select sum(rows_copied)::float8 as rows, sum(changes_applied)::float8 as changes,
            (select before_per_second from conversion.state) as before
     from conversion.tables`,
  );
  const { rows, changes, before } = sums.rows[0]!;
  const { duringPerSecond, ...others } = outcome;
  return {
    ...others,
    rowsCopied: rows,
    changesApplied: changes,
    locks: locks.rows,
    longestLockMs: Math.max(0, ...locks.rows.map(({ waitedMs, heldMs }) => waitedMs + heldMs)),
    throughput: { beforePerSecond: before, duringPerSecond, afterPerSecond: null },
  };
}
