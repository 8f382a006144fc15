import type { Client } from 'pg';

/** Counters of one server that only grow; the difference of two samples is what happened in between. */
export interface ServerCounters {
  /** Position of the next WAL record, in bytes. */
  walBytes: number;
  /** Checkpoints that were asked for because the WAL grew too fast, and those that their time had come for. */
  checkpointsRequested: number;
  checkpointsTimed: number;
  /** Size of the connected database on disk. */
  databaseBytes: number;
  blocksHit: number;
  blocksRead: number;
  commits: number;
  /** Unix time in seconds: another value means that the server was started again. */
  startedAt: number;
}

/** PostgreSQL 17 moved the checkpoint counters into a view of their own. */
const checkpointColumns = {
  old: 'select checkpoints_req as requested, checkpoints_timed as timed from pg_stat_bgwriter',
  new: 'select num_requested as requested, num_timed as timed from pg_stat_checkpointer',
};

/** One sample. The connection needs `pg_monitor` or a superuser. */
export async function sampleServer(client: Client): Promise<ServerCounters> {
  const version = await client.query<{ number: string }>("select current_setting('server_version_num') as number");
  const checkpoints = Number(version.rows[0]!.number) >= 170_000 ? checkpointColumns.new : checkpointColumns.old;
  const result = await client.query<Record<keyof ServerCounters, string>>(`
    select
      pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') as "walBytes",
      c.requested as "checkpointsRequested",
      c.timed as "checkpointsTimed",
      pg_database_size(current_database()) as "databaseBytes",
      d.blks_hit as "blocksHit",
      d.blks_read as "blocksRead",
      d.xact_commit as "commits",
      extract(epoch from pg_postmaster_start_time()) as "startedAt"
    from (${checkpoints}) c, pg_stat_database d
    where d.datname = current_database()`);
  return mapNumbers(result.rows[0]!);
}

/** The sum over servers that do one work together. `startedAt` changes when any of them was started again. */
export async function sampleServers(clients: readonly Client[]): Promise<ServerCounters> {
  const [first, ...others] = await Promise.all(clients.map(sampleServer));
  const sum = { ...first! };
  for (const other of others) {
    for (const name of Object.keys(sum) as (keyof ServerCounters)[]) sum[name] += other[name];
  }
  return sum;
}

export interface StatementCost {
  /** The statement as pg_stat_statements normalised it, shortened. */
  query: string;
  calls: number;
  totalMs: number;
  meanMs: number;
  rows: number;
  walBytes: number;
}

/** The statements that took the most time in the connected database, the dearest first; empty without the extension. */
export async function topStatements(client: Client, limit = 10): Promise<StatementCost[]> {
  const installed = await client.query("select from pg_extension where extname = 'pg_stat_statements'");
  if (installed.rowCount === 0) return [];
  const result = await client.query<Record<keyof StatementCost, string>>(
    `select left(regexp_replace(s.query, '\\s+', ' ', 'g'), 160) as query, s.calls, s.total_exec_time as "totalMs",
       s.mean_exec_time as "meanMs", s.rows, s.wal_bytes as "walBytes"
     from pg_stat_statements s join pg_database d on d.oid = s.dbid
     where d.datname = current_database() and s.toplevel
     order by s.total_exec_time desc
     limit $1`,
    [limit],
  );
  return result.rows.map(({ query, ...numbers }) => ({ query, ...mapNumbers(numbers) }));
}

function mapNumbers<Key extends string>(row: Record<Key, string>): Record<Key, number> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)])) as Record<Key, number>;
}
