import type { Client } from 'pg';
import type { Answer, PreparedRequest } from '../../../simulator/driver/connections.ts';
import { encodeHistogram, percentiles } from '../../../simulator/driver/histogram.ts';
import type { LoadPlan } from '../../../simulator/driver/plan.ts';
import type { PreparedWebhook } from '../../../simulator/driver/prepare.ts';
import { type LoadResult, runLoad } from '../../../simulator/driver/run-load.ts';
import { sampleCpu } from '../../measure/process-cpu.ts';
import { sampleServers } from '../../measure/server-counters.ts';
import type { LoadPhase } from '../../schema/load-phase.ts';
import type { AckRecord } from './ack-record.ts';

/** Where requests come from and answers go. */
export interface LoadContext<R extends PreparedRequest> {
  url: string;
  /** Access token of requests below /api/. */
  token?: string;
  source: {
    prepare(count: number): Promise<void>;
    next(): R;
  };
  record: {
    answered(request: R, answer: Answer): void;
    flush(): Promise<void>;
  };
  /** A superuser's connection to each server that is written to. */
  clients: readonly Client[];
  /** Processes at the roots of each component; the generator, which is this process, is added. */
  components: Readonly<Record<string, readonly number[]>>;
  seed: number;
  signal: AbortSignal;
}

/** For webhooks. */
export interface PhaseContext extends LoadContext<PreparedWebhook> {
  record: AckRecord;
}

/** One stretch of load with what it cost, component by component. */
export async function runPhase<R extends PreparedRequest>(
  context: LoadContext<R>,
  plan: LoadPlan,
  expectedCount: number,
): Promise<{ phase: LoadPhase; load: LoadResult }> {
  const { url, source, record, clients, seed, signal } = context;
  await source.prepare(Math.ceil(expectedCount * 1.05));
  signal.throwIfAborted();
  const before = await sampleAll(context.components, clients);
  const load = await runLoad({
    url,
    plan,
    next: () => source.next(),
    onResponse: (request, answer) => record.answered(request, answer),
    clock: () => performance.now(),
    seed,
    readBodies: true,
    signal,
    ...(context.token !== undefined && { token: context.token }),
  });
  const after = await sampleAll(context.components, clients);
  await record.flush();
  signal.throwIfAborted();
  const cpuSeconds: Record<string, number> = {};
  for (const name of Object.keys(context.components)) cpuSeconds[name] = after.cpu[name]! - before.cpu[name]!;
  cpuSeconds.generator = (load.generator.cpuUserMs + load.generator.cpuSystemMs) / 1e3;
  return { phase: describe(load, cpuSeconds, after.walBytes - before.walBytes), load };
}

async function sampleAll(components: LoadContext<PreparedRequest>['components'], clients: readonly Client[]) {
  const roots = Object.fromEntries(Object.values(components).flatMap((pids) => pids.map((pid) => [pid, pid])));
  const [byPid, server] = await Promise.all([sampleCpu(roots), sampleServers(clients)]);
  const cpu = Object.entries(components).map(([name, pids]) => [name, pids.reduce((sum, pid) => sum + byPid[pid]!, 0)]);
  return { cpu: Object.fromEntries(cpu) as Record<string, number>, walBytes: server.walBytes };
}

function describe(load: LoadResult, cpuSeconds: Record<string, number>, walBytes: number): LoadPhase {
  const acknowledged = countAcknowledged(load.statuses);
  const lateness = percentiles(load.generator.lateness);
  return {
    offeredRate: load.plan.shape === 'constant' ? load.plan.rate : null,
    // Over the time until the last answer: a backlog that is still being worked off does not count as speed.
    rate: acknowledged / (Math.max(load.elapsedMs, load.plan.durationMs) / 1e3),
    durationS: load.elapsedMs / 1e3,
    sent: load.offered,
    acknowledged,
    errors: load.offered - acknowledged,
    latency: percentiles(load.latency),
    histogram: encodeHistogram(load.latency),
    lateness: { p99Ms: lateness.p99Ms, maxMs: lateness.maxMs },
    cpuSeconds,
    walBytes,
  };
}

function countAcknowledged(statuses: Readonly<Record<string, number>>): number {
  return Object.entries(statuses).reduce((sum, [status, count]) => (/^2\d\d$/.test(status) ? sum + count : sum), 0);
}
