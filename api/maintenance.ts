import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { failureFields } from '../kernel/failure.ts';
import type { Metrics } from '../kernel/metrics.ts';
import { repeat } from '../kernel/repeat.ts';

export interface MaintenanceOptions {
  pool: Pool;
  metrics: Metrics;
  logger: Logger;
  /** Pause between two runs of partition making and retention. */
  maintainEveryMs: number;
  /** Pause between two looks at the gauges. */
  observeEveryMs: number;
}

/**
 * Keeps the time partitions ahead of the clock and watches what should stay empty. Several instances may do this at
 * once: the statements find the work done. Returns the function that stops it.
 */
export function startMaintenance(options: MaintenanceOptions): () => void {
  const stopping = new AbortController();
  const every = (pauseMs: number, work: () => Promise<void>): void => {
    void repeat(() => guarded(options.logger, work), { pauseMs, signal: stopping.signal });
  };
  every(options.maintainEveryMs, () => maintain(options, stopping.signal));
  every(options.observeEveryMs, () => observe(options));
  return () => stopping.abort();
}

/** What the procedure reports of a table. */
interface MaintainedTable {
  table: string;
  created: number;
  dropped: number;
  deleted: number;
  /** Whether something is left because a lock never came. */
  postponed: boolean;
  /** Whether expired rows are left. */
  more: boolean;
}

/**
 * One round of premake and retention, in transactions of one step each. Where rows leave by delete, it repeats until none
 * is left or the service ends.
 */
export async function maintain(
  { pool, logger }: Pick<MaintenanceOptions, 'pool' | 'logger'>,
  signal?: AbortSignal,
): Promise<void> {
  for (let more = true; more && !signal?.aborted; ) {
    const result = await pool.query<{ report: MaintainedTable[] }>('call run_maintenance()');
    const { report } = result.rows[0]!;
    const changed = report.filter((table) => table.created + table.dropped + table.deleted > 0);
    if (changed.length > 0) logger.info({ tables: changed }, 'maintenance');
    const postponed = report.filter((table) => table.postponed).map(({ table }) => table);
    if (postponed.length > 0)
      logger.warn({ tables: postponed }, 'maintenance is left for the next round: a lock never came');
    more = report.some((table) => table.more);
  }
}

/**
 * Sets the gauges for rows in default partitions, for parked webhooks and for those that wait for an operator; the first
 * is logged as an alarm.
 */
export async function observe({ pool, metrics, logger }: Pick<MaintenanceOptions, 'pool' | 'metrics' | 'logger'>) {
  const partitions = await pool.query<{ table_name: string; row_count: bigint }>(
    'select table_name, row_count from default_partition_rows()',
  );
  for (const row of partitions.rows) {
    metrics.defaultPartitionRows.set({ table: row.table_name }, Number(row.row_count));
    if (row.row_count > 0n) {
      logger.error({ table: row.table_name, rows: Number(row.row_count) }, 'rows in the default partition');
    }
  }
  const { rows } = await pool.query<{ parked: bigint; oldest_seconds: number; quarantined: bigint }>(
    `select (select count(*) from parked_webhooks) as parked,
            (select coalesce(extract(epoch from now() - min(received_at)), 0)::float8 from parked_webhooks) as oldest_seconds,
            (select count(*) from quarantined_webhooks where decision is null) as quarantined`,
  );
  const waiting = rows[0]!;
  metrics.parkedWebhooks.set(Number(waiting.parked));
  metrics.parkedOldestSeconds.set(waiting.oldest_seconds);
  metrics.quarantinedWebhooks.set(Number(waiting.quarantined));
}

async function guarded(logger: Logger, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    logger.warn(failureFields(error), 'maintenance failed; the next round tries again');
  }
}
