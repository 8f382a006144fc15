import { readFile } from 'node:fs/promises';
import { Client } from 'pg';
import type { RunningSystem } from '../../runtime/native/system.ts';
import { createSigners } from '../../simulator/delivery/sign.ts';
import { type Percentiles, percentiles } from '../../simulator/driver/histogram.ts';
import { prepareWebhook } from '../../simulator/driver/prepare.ts';
import { runLoad } from '../../simulator/driver/run-load.ts';
import { createWorkload, type Workload } from '../../simulator/workload/workload.ts';

/** What maintenance finds to do in one round, as after it was away for weeks. */
export interface Backlog {
  partitions: number;
  rowsOfEach: number;
  keys: number;
}

export interface IngestResult extends Percentiles {
  failed: number;
}

/** What one round of maintenance did. */
export interface Work {
  calls: number;
  seconds: number;
  dropped: number;
  deleted: number;
  postponed: number;
}

/** A source of webhooks at a steady rate. */
export function createIngest(system: RunningSystem, rate: number): (seconds: number) => Promise<IngestResult> {
  const workload: Workload = createWorkload({ seed: 1, run: 'maintenance', startTimeMs: Date.now() });
  const signers = createSigners(system.secrets);
  return async (seconds) => {
    const result = await runLoad({
      url: system.urls.api,
      plan: { shape: 'constant', rate, durationMs: seconds * 1_000, arrivals: 'uniform' },
      next: () => prepareWebhook(workload.next(), signers, new Date()),
      clock: () => performance.now(),
    });
    const refused = Object.entries(result.statuses).filter(([status]) => !status.startsWith('2'));
    const failed = [...refused.map(([, count]) => count), ...Object.values(result.errors)];
    return { ...percentiles(result.latency), failed: failed.reduce((sum, count) => sum + count, 0) };
  };
}

/** Fills partitions that have expired, and the dedupe keys. */
export async function prepareBacklog(
  client: Client,
  { partitions, rowsOfEach, keys }: Backlog,
  round: number,
): Promise<void> {
  await client.query("set timezone = 'UTC'; set synchronous_commit = off");
  await client.query("select ensure_partitions('outbox', current_date - 20 - $1::int, current_date - 20)", [
    partitions,
  ]);
  await client.query(await statement('seed_expired'), [partitions, rowsOfEach]);
  await client.query(await statement('seed_expired_keys'), [keys, round]);
  await client.query('analyze webhook_keys; checkpoint');
}

function statement(name: string): Promise<string> {
  return readFile(new URL(`./sql/${name}.sql`, import.meta.url), 'utf8');
}

/** Calls the procedure as the API does, as the API's role, until there is nothing more to do. */
export async function maintainUntilDone(dsn: string): Promise<Work> {
  const client = new Client({ connectionString: dsn });
  await client.connect();
  const started = performance.now();
  const work: Work = { calls: 0, seconds: 0, dropped: 0, deleted: 0, postponed: 0 };
  try {
    await client.query('set statement_timeout = 0');
    for (let more = true; more; ) {
      const { rows } = await client.query('call run_maintenance()');
      const report: { dropped: number; deleted: number; postponed: boolean; more: boolean }[] = rows[0].report;
      work.calls += 1;
      for (const table of report) {
        work.dropped += table.dropped;
        work.deleted += table.deleted;
        work.postponed += Number(table.postponed);
      }
      more = report.some((table) => table.more || table.postponed);
    }
    work.seconds = (performance.now() - started) / 1_000;
    return work;
  } finally {
    await client.end();
  }
}
