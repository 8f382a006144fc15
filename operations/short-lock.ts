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
 * Runs `work` in one transaction that takes locks which hold up the service, and bounds them: a lock that does not come
 * soon is given up, because everybody queues behind the one who waits, and so is work that takes too long. Either is
 * tried again after a growing pause.
 * @param work Of many statements it has to ask now and then whether it may go on: each of them has the whole time.
 * @throws Error that names the sessions in the way, when no attempt succeeded.
 */
export async function withShortLock<T>(
  client: Client,
  options: ShortLockOptions,
  work: (client: Client, goOn: () => void) => Promise<T>,
): Promise<T> {
  const mayTakeMs = options.maxLockMs * 0.6;
  const { lockAttempts: attempts = 60, progress, step, note, clock = () => performance.now() } = options;
  for (let attempt = 1; ; attempt += 1) {
    const requested = clock();
    let locked: number | undefined;
    try {
      await client.query(
        // One snapshot, taken after the locks: LOCK takes none.
        `begin isolation level repeatable read; set local statement_timeout = ${Math.ceil(options.maxLockMs * 0.3)}`,
      );
      await client.query(options.lock);
      const since = clock();
      locked = since;
      await client.query(`set local statement_timeout = ${Math.ceil(mayTakeMs)}`);
      const result = await work(client, () => {
        if (clock() - since > mayTakeMs) throw Object.assign(new Error('it took too long'), { code: '57014' });
      });
      await client.query('commit');
      await note?.({ step, taken: true, waitedMs: locked - requested, heldMs: clock() - locked });
      return result;
    } catch (error) {
      await client.query('rollback');
      const waitedMs = (locked ?? clock()) - requested;
      await note?.({
        step,
        taken: locked !== undefined,
        waitedMs,
        heldMs: locked === undefined ? 0 : clock() - locked,
      });
      if (!isTransient(error)) throw error;
      if (attempt === attempts) {
        const reason =
          locked === undefined
            ? await describeHolders(client, options.tables)
            : `it takes longer than the ${mayTakeMs} ms that --max-lock-ms ${options.maxLockMs} leaves it. Allow more`;
        throw new Error(`${step}: ${reason}`, { cause: error });
      }
      progress(`${step}: ${locked === undefined ? 'the lock did not come' : 'it took too long'}, trying again`);
      await delay(Math.min(100 * 2 ** Math.min(attempt, 5), 2_000));
      await options.beforeRetry?.();
    }
  }
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
