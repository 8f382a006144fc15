import { Client } from 'pg';
import { waitUntil } from '../../../kernel/wait.ts';
import { untilDrained } from '../../../operations/status/drain.ts';
import { isAlive } from '../../../runtime/native/processes.ts';
import type { RunningSystem } from '../../../runtime/native/system.ts';
import { vacuum } from '../../measure/vacuum.ts';
import { prepareWalFiles } from '../../measure/wal-files.ts';
import { openAckRecord } from '../ingest/ack-record.ts';
import { type PhaseContext, runPhase } from '../ingest/phase.ts';
import { createWebhookSource } from '../ingest/webhook-source.ts';
import type { AcceptanceArm } from './document.ts';

export type Turn = Pick<AcceptanceArm['rounds'][number], 'load' | 'drainMs' | 'drained'>;

/** One system under the generator. */
export interface SystemUnderLoad {
  warmUp(durationMs: number): Promise<void>;
  /** @param consumers whether the API's consumers are at work meanwhile; they are stopped with the whole API. */
  measure(durationMs: number, consumers: boolean): Promise<Turn>;
  /** Webhooks that the client counted as acknowledged so far, each once. */
  acknowledged(): number;
  close(): Promise<void>;
}

export interface SystemUnderLoadOptions {
  system: RunningSystem;
  recordFile: string;
  seed: number;
  /** Begins every id. */
  run: string;
  connections: number;
  signal: AbortSignal;
}

const drainTimeoutMs = 120_000;
/** Deliveries that are signed ahead for each second of load: more than any system on two cores takes. */
const signedPerSecond = 9_000;

/** Requests go where the mode takes webhooks: to the gateway, or to the API. */
export async function openSystemUnderLoad(options: SystemUnderLoadOptions): Promise<SystemUnderLoad> {
  const { system, seed, run, connections, signal } = options;
  const client = new Client({ connectionString: system.dsn.admin, application_name: 'lab-bench' });
  client.on('error', () => {});
  await client.connect();
  const record = await openAckRecord(options.recordFile);
  const context = (): PhaseContext => ({
    url: system.urls.ingest ?? system.urls.api,
    source,
    record,
    seed,
    signal,
    clients: [client],
    // Looked up anew: a stopped API comes back under another id.
    components: {
      api: [system.api.pid],
      postgres: [system.primary.pid],
      ...(system.ingest && { ingest: [system.ingest.pid] }),
      ...(system.broker && { broker: [system.broker.pid] }),
    },
  });
  const source = createWebhookSource({
    seed,
    run,
    startTimeMs: Date.now(),
    secrets: system.secrets,
    now: () => new Date(),
  });
  const load = async (durationMs: number) => {
    const plan = { shape: 'closed', connections, durationMs } as const;
    return (await runPhase(context(), plan, (signedPerSecond * durationMs) / 1e3)).phase;
  };
  const drain = () => untilDrained(system, { timeoutMs: drainTimeoutMs, signal });
  return {
    warmUp: async (durationMs) => {
      await load(durationMs);
      await drain();
      await prepareWalFiles(client, 40);
    },
    measure: async (durationMs, consumers) => {
      await client.query('checkpoint');
      if (!consumers) await stopApi(system);
      const phase = await load(durationMs);
      const endedAt = performance.now();
      if (!consumers) await system.api.restart();
      const { drained } = await drain();
      const drainMs = Math.round(performance.now() - endedAt);
      // The other mode has the next turn, on the same cores.
      await vacuum([system.dsn.admin]);
      return { load: phase, drained, drainMs };
    },
    acknowledged: () => record.distinct,
    close: async () => {
      await record.close();
      await client.end();
    },
  };
}

async function stopApi(system: RunningSystem): Promise<void> {
  const { pid } = system.api;
  system.api.kill('SIGTERM');
  if (!(await waitUntil(async () => !(await isAlive(pid)), { timeoutMs: 30_000 }))) {
    throw new Error('the API did not stop');
  }
}
