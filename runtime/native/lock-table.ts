/** A table in daily partitions, as the migrations make it. */
export interface DailyTable {
  /** Days that its rows are kept. */
  keptDays: number;
  premadeDays: number;
  /** Of each partition. */
  indexes: number;
}

/** What `retention_settings` and the schema say; a test compares the two. Finer partitions than these are not offered. */
export const dailyTables: Readonly<Record<string, DailyTable>> = {
  order_events: { keptDays: 400, premadeDays: 7, indexes: 4 },
  dispute_events: { keptDays: 400, premadeDays: 7, indexes: 5 },
  webhook_deliveries: { keptDays: 90, premadeDays: 7, indexes: 2 },
  outbox: { keptDays: 7, premadeDays: 7, indexes: 1 },
};

/** Today's partition, the default one, and the parent, which has as many indexes. */
const besides = 3;

/** Locks of a transaction that reads all of these tables as a whole, as an audit does. */
function locksOfWholeRead(tables: readonly DailyTable[]): number {
  const locks = tables.map(({ keptDays, premadeDays, indexes }) => (keptDays + premadeDays + besides) * (1 + indexes));
  return locks.reduce((sum, of) => sum + of, 0);
}

/** As many connections as two API processes have for reads. Those by id lock a few partitions each and need none of this. */
const wholeReadsAtOnce = 20;

/**
 * `max_locks_per_transaction` of a server with so many connections. PostgreSQL has one table of locks for all of them, as
 * large as this number times the connections; when it is full, queries fail with "out of shared memory".
 */
export function maxLocksPerTransaction(connections: number): number {
  const needed = (wholeReadsAtOnce * locksOfWholeRead(Object.values(dailyTables))) / connections;
  return Math.ceil(needed / 64) * 64;
}
