import { withClient } from '../kernel/postgres/with-client.ts';
import { type WaitOptions, waitUntil } from '../kernel/wait.ts';
import { isHttpReady } from '../runtime/native/http-ready.ts';
import type { RunningSystem } from '../runtime/native/system.ts';

/** Whether every service says that it is ready, with what it needs, and every replica streams; waits for it. */
export function isFlowing(system: RunningSystem, wait: WaitOptions): Promise<boolean> {
  return waitUntil(() => isWell(system).catch(() => false), wait);
}

/** @throws Error that names what is not well. */
export async function expectAllWell(system: RunningSystem, wait: WaitOptions): Promise<void> {
  const allRun = () => system.describe().processes.every(({ state }) => state === 'running');
  if ((await waitUntil(allRun, wait)) && (await isFlowing(system, wait))) return;
  const states = system.describe().processes.filter(({ state }) => state !== 'running');
  throw new Error(`the system did not recover: ${states.map(({ name, state }) => `${name} ${state}`).join(', ')}`);
}

async function isWell(system: RunningSystem): Promise<boolean> {
  const { api, ingest, cdc, provider, payments } = system.urls;
  const urls = [api, ingest, cdc, provider, payments].filter((url) => url !== undefined);
  const ready = await Promise.all(urls.map((url) => isHttpReady(`${url}/health/ready`)));
  if (!ready.every(Boolean)) return false;
  const names = system.replicas.map(({ name }) => name);
  if (names.length === 0) return true;
  return withClient(system.primary.dsn(), async (client) => {
    const { rowCount } = await client.query(
      "select from pg_stat_replication where application_name = any ($1) and state = 'streaming'",
      [names],
    );
    return rowCount === names.length;
  });
}

/** When the newest event that ClickHouse has was committed, in milliseconds since 1970; undefined without an answer. */
export async function newestCommitInClickhouseMs(cdcUrl: string): Promise<number | undefined> {
  try {
    const response = await fetch(`${cdcUrl}/status`, { signal: AbortSignal.timeout(3_000) });
    const { data } = (await response.json()) as { data: { freshness_ms: number | null } };
    return data.freshness_ms === null ? undefined : Date.now() - data.freshness_ms;
  } catch {
    return undefined;
  }
}
