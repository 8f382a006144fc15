import type { Client } from 'pg';
import type { LockReport } from '../../short-lock.ts';
import type { DiskSpace } from '../preflight.ts';
import type { CdcReport } from './cdc.ts';
import type { Comparison } from './compare.ts';

export interface CitusConversionResult {
  phase: 'switched' | 'finished' | 'aborted';
  /** Of this call; everything else but `compared` and `disk` is of the whole conversion, over all calls. */
  durationMs: number;
  /** The cluster, as in `127.0.0.1:5432/payments`. */
  target: string;
  tables: { table: string; rowsCopied: number; changesApplied: number }[];
  rowsCopied: number;
  changesApplied: number;
  /** Steps that brought changes over. */
  rounds: number;
  /** Brought over while writers were held; null before the switch. */
  changesInSwitch: number | null;
  locks: LockReport[];
  /** The longest time that a lock, and the wait for it, held up others. */
  longestLockMs: number;
  /** From the request for the locks of the switch until the services were ready again; null where they are not ours. */
  withoutWritesMs: number | null;
  compared: Comparison[] | null;
  disk: DiskSpace | null;
  cdc: CdcReport | null;
  /** Webhooks a second; null where it was not measured. */
  throughput: { beforePerSecond: number | null; duringPerSecond: number | null; afterPerSecond: number | null };
}

/** What the source knows of its conversion. */
export async function describe(source: Client): Promise<Omit<CitusConversionResult, 'durationMs'>> {
  const state = await source.query<{
    phase: 'copying' | 'switched';
    target: string;
    rounds: number;
    changes_in_switch: number | null;
    without_writes_ms: number | null;
    before: number | null;
  }>(
    `select phase, target_database as target, rounds, changes_in_switch, before_per_second as before,
            (extract(epoch from serving_at - held_at) * 1000)::float8 as without_writes_ms
     from conversion.state`,
  );
  const tables = await source.query<{ table: string; rowsCopied: number; changesApplied: number }>(
    `select table_name as "table", rows_copied::float8 as "rowsCopied", changes_applied::float8 as "changesApplied"
     from conversion.tables order by lock_position`,
  );
  const locks = await source.query<LockReport>(
    'select step, taken, waited_ms as "waitedMs", held_ms as "heldMs" from conversion.locks order by lock_id',
  );
  const { target, rounds, changes_in_switch, without_writes_ms, before } = state.rows[0]!;
  return {
    phase: 'switched',
    target,
    tables: tables.rows,
    rowsCopied: tables.rows.reduce((sum, { rowsCopied }) => sum + rowsCopied, 0),
    changesApplied: tables.rows.reduce((sum, { changesApplied }) => sum + changesApplied, 0),
    rounds,
    changesInSwitch: changes_in_switch,
    locks: locks.rows,
    longestLockMs: Math.max(0, ...locks.rows.map(({ waitedMs, heldMs }) => waitedMs + heldMs)),
    withoutWritesMs: without_writes_ms,
    compared: null,
    disk: null,
    cdc: null,
    throughput: { beforePerSecond: before, duringPerSecond: null, afterPerSecond: null },
  };
}
