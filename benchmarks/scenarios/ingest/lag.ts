import { Client } from 'pg';
import type { LagPoint } from './data.ts';

/** Writes down how far the replicas are behind, four times a second, until it is stopped. */
export interface LagSampler {
  /** Ends it. @returns what it saw; times are seconds since its start. */
  stop(): Promise<LagPoint[]>;
}

/** @param dsn a superuser's connection URL of the primary */
export async function startLagSampler(dsn: string, intervalMs = 250): Promise<LagSampler> {
  const client = new Client({ connectionString: dsn, application_name: 'lab-lag' });
  client.on('error', () => {});
  await client.connect();
  const points: LagPoint[] = [];
  const startedAt = performance.now();
  let stopped = false;
  let pending: Promise<void> = Promise.resolve();
  const sample = async () => {
    const result = await client.query<{ bytes: string; replay_ms: string | null }>(
      `select max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)) as bytes,
         max(extract(epoch from replay_lag)) * 1000 as replay_ms
       from pg_stat_replication where application_name <> '' having count(*) > 0`,
    );
    const row = result.rows[0];
    if (!row) return;
    const replayMs = row.replay_ms === null ? null : Number(row.replay_ms);
    points.push({ atS: (performance.now() - startedAt) / 1e3, bytes: Math.max(0, Number(row.bytes)), replayMs });
  };
  const timer = setInterval(() => {
    if (!stopped) pending = pending.then(sample).catch(() => {});
  }, intervalMs);
  return {
    stop: async () => {
      stopped = true;
      clearInterval(timer);
      await pending;
      await client.end();
      return points;
    },
  };
}
