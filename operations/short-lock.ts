import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { sqlState } from '../kernel/postgres/errors.ts';

/** One attempt to take a lock. */
export interface LockReport {
  step: string;
  /** Whether the lock came; where it did not, the wait was given up and tried again. */
  taken: boolean;
  /** While it waits for the lock, others queue behind it. */
  waitedMs: number;
  heldMs: number;
}

export interface ShortLockOptions {
  /** Names the step in the report. */
  step: string;
  /** As in `lock table a, b in access exclusive mode`; one statement. */
  lock: string;
  /** Tables of the statement, to name who held them when it was given up. */
  tables: readonly string[];
  /** Longest time that others may be held up: three tenths of it for the wait, six for the work. */
  maxLockMs: number;
  lockAttempts?: number;
  /** Hears of every attempt. */
  note?: (lock: LockReport) => Promise<void>;
  /** Runs after an attempt that failed, before the next one. */
  beforeRetry?: () => Promise<void>;
  progress: (line: string) => void;
  clock?: () => number;
}

/**
 * What is done under the locks. Of many statements it has to ask now and then whether it may go on: each of them has
 * the whole time. `goOn` throws when the time is up, and returns the milliseconds that are left.
 */
export type LockedWork<T> = (client: Client, goOn: () => number) => Promise<T>;

/**
 * Runs `work` in one transaction that takes locks which hold up the service, and bounds them: a lock that does not come
 * soon is given up, because other sessions queue behind the one that waits, and so is work that takes too long. Either
 * is tried again after a growing pause.
 * @throws Error that names the sessions in the way, when no attempt succeeded.
 */
export async function withShortLock<T>(client: Client, options: ShortLockOptions, work: LockedWork<T>): Promise<T> {
  const { lockAttempts: attempts = 60, progress, step } = options;
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await attemptOnce(client, options, work);
    if ('result' in outcome) return outcome.result;
    const { error, taken } = outcome;
    if (!isTransient(error)) throw error;
    if (attempt === attempts) {
      const reason = taken ? tooLong(options) : await describeHolders(client, options.tables);
      throw new Error(`${step}: ${reason}`, { cause: error });
    }
    progress(`${step}: ${taken ? 'it took too long' : 'the lock did not come'}, trying again`);
    await delay(Math.min(100 * 2 ** Math.min(attempt, 5), 2_000));
    await options.beforeRetry?.();
  }
}

/** One attempt, noted with how long others were held up. */
async function attemptOnce<T>(
  client: Client,
  options: ShortLockOptions,
  work: LockedWork<T>,
): Promise<{ result: T } | { error: unknown; taken: boolean }> {
  const { step, lock, maxLockMs, note, clock = () => performance.now() } = options;
  const mayTakeMs = workMs(options);
  const requested = clock();
  let locked: number | undefined;
  const report = (): LockReport => {
    const now = clock();
    return { step, taken: locked !== undefined, waitedMs: (locked ?? now) - requested, heldMs: now - (locked ?? now) };
  };
  try {
    await client.query(
      // One snapshot, taken after the locks: LOCK takes none.
      `begin isolation level repeatable read; set local statement_timeout = ${Math.ceil(maxLockMs * 0.3)}`,
    );
    await client.query(lock);
    const since = clock();
    locked = since;
    await client.query(`set local statement_timeout = ${Math.ceil(mayTakeMs)}`);
    const result = await work(client, () => {
      const leftMs = mayTakeMs - (clock() - since);
      if (leftMs < 0) throw Object.assign(new Error('it took too long'), { code: '57014' });
      return leftMs;
    });
    await client.query('commit');
    await note?.(report());
    return { result };
  } catch (error) {
    await client.query('rollback');
    await note?.(report());
    return { error, taken: locked !== undefined };
  }
}

/** What of the time is for the work. */
function workMs({ maxLockMs }: ShortLockOptions): number {
  return maxLockMs * 0.6;
}

function tooLong(options: ShortLockOptions): string {
  return `it takes longer than the ${workMs(options)} ms that --max-lock-ms ${options.maxLockMs} leaves it. Allow more`;
}

/** Cancelled by the time-out, lock not available, deadlock. */
function isTransient(error: unknown): boolean {
  return ['57014', '55P03', '40P01'].includes(sqlState(error) ?? '');
}

async function describeHolders(client: Client, tables: readonly string[]): Promise<string> {
  const { rows } = await client.query<{ pid: number; application: string; seconds: number }>(
    `select distinct a.pid, a.application_name as application, extract(epoch from now() - a.xact_start)::float8 as seconds
     from pg_locks l join pg_stat_activity a using (pid)
     where l.granted and a.pid <> pg_backend_pid() and l.relation = any ($1::text[]::regclass[])
     order by 3 desc nulls last limit 5`,
    [tables],
  );
  if (rows.length === 0) return 'no lock could be had in time; the service is busy. Try again later';
  const holders = rows.map(({ pid, application, seconds }) => `${pid} (${application}, ${Math.round(seconds)} s)`);
  return `these sessions hold the tables: ${holders.join(', ')}`;
}
