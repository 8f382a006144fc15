import { Client } from 'pg';
import { operatorToken } from '../../../runtime/access-token.ts';
import type { RunningSystem } from '../../../runtime/native/system.ts';
import { rateAt } from '../../../simulator/driver/plan.ts';
import type { LoadResult } from '../../../simulator/driver/run-load.ts';
import { fewestRequests } from '../../measure/judge-phase.ts';
import { type ServerCounters, sampleServers } from '../../measure/server-counters.ts';
import { serverDsns } from '../../measure/servers.ts';
import { prepareWalFiles } from '../../measure/wal-files.ts';
import type { LoadPhase } from '../../schema/load-phase.ts';
import type { Arm, ScenarioOptions, ScenarioSession } from '../scenario.ts';
import { openAckRecord } from './ack-record.ts';
import type { CurvePoint, IngestData } from './data.ts';
import { startLagSampler } from './lag.ts';
import { readOwnWrites } from './own-writes.ts';
import { type PhaseContext, runPhase } from './phase.ts';
import { firstRate, keeps, nearRate, nextRate, objective } from './search.ts';
import { createWebhookSource } from './webhook-source.ts';

/** Requests under way in the closed loop: enough for full batches, few enough to stay below the objective. */
export const closedConnections = 128;
const warmUpMs = 6_000;
/** Of 16 MiB; a round writes fewer. */
const walFilesOfRound = 20;
const saturationMs = 1_200;
const rampMs = 3_000;
const holdMs = 2_000;
const halfMs = 2_000;
const maxHolds = 5;
/** How many times as long a hold may become for the sake of its p99. */
const longestHold = 4;

export async function openIngest(arm: Arm, options: ScenarioOptions): Promise<ScenarioSession<IngestData>> {
  const { system } = arm;
  const clients = await connectToServers(system);
  const record = await openAckRecord(arm.recordFile);
  const source = createWebhookSource({
    seed: options.seed,
    run: options.run,
    startTimeMs: options.startTimeMs,
    secrets: system.secrets,
    now: () => new Date(),
  });
  const context: PhaseContext = {
    url: system.urls.api,
    source,
    record,
    clients,
    components: {
      api: [system.api.pid],
      // Of a cluster all servers together: what one webhook costs is spread over them.
      postgres: [system.primary, ...system.workers].map(({ pid }) => pid),
      ...(system.replicas[0] && { replica: [system.replicas[0].pid] }),
    },
    seed: options.seed,
    signal: options.signal,
  };
  let warm = false;
  let lastRate: number | undefined;
  return {
    measure: async () => {
      // Compiled code, full connection pools and the first pages of every index are not what is asked about.
      if (!warm) {
        warm = true;
        await runPhase(context, closed(warmUpMs * options.scale), 36_000 * options.scale);
        const count = Math.ceil((walFilesOfRound * options.scale) / clients.length);
        for (const client of clients) await prepareWalFiles(client, count);
      }
      // Every round starts with nothing to write back, so that a checkpoint of an earlier one can't fall into it.
      for (const client of clients) await client.query('checkpoint');
      const lagDsn = system.replicas.length > 0 ? system.dsn.admin : null;
      const data = await measureRound(context, options.scale, lagDsn, lastRate);
      lastRate = data.peak.offeredRate ?? undefined;
      await readOwnWrites({
        url: system.urls.api,
        token: await operatorToken(system),
        source,
        record,
        count: Math.ceil(300 * options.scale),
        clients: 16,
      });
      await record.flush();
      return data;
    },
    acknowledged: () => record.distinct,
    close: async () => {
      await record.close();
      for (const client of clients) await client.end();
    },
  };
}

/** A superuser's connection to each server that is written to: the primary, or the coordinator and its workers. */
async function connectToServers(system: RunningSystem): Promise<Client[]> {
  const clients = serverDsns(system).map(
    (connectionString) => new Client({ connectionString, application_name: 'lab-bench' }),
  );
  for (const client of clients) {
    client.on('error', () => {});
    await client.connect();
  }
  return clients;
}

/** @param lastRate where the arm's round before found its peak: then no ramp has to look for it */
async function measureRound(
  context: PhaseContext,
  scale: number,
  lagDsn: string | null,
  lastRate: number | undefined,
): Promise<IngestData> {
  const { clients } = context;
  const before = await sampleServers(clients);
  const acknowledgedBefore = context.record.acknowledged;
  const lag = lagDsn ? await startLagSampler(lagDsn) : undefined;
  try {
    const saturation = await saturate(context, saturationMs * scale);
    const curve = lastRate === undefined ? await runRamp(context, saturation.rate, rampMs * scale) : [];
    const first = nearRate(lastRate ?? firstRate(curve, saturation.rate), saturation.rate);
    const { peak, attempts } = await findPeak(context, first, holdMs * scale);
    const half = await hold(context, peak.rate / 2, halfMs * scale);
    const points = (await lag?.stop()) ?? [];
    const after = await sampleServers(clients);
    const acknowledged = context.record.acknowledged - acknowledgedBefore;
    const server = compareServers(before, after);
    return { saturation, curve, peak, attempts, half, objective, acknowledged, ...server, lag: points };
  } finally {
    await lag?.stop();
  }
}

/** @throws Error that says what was answered instead, where no webhook at all was acknowledged. */
async function saturate(context: PhaseContext, durationMs: number): Promise<LoadPhase> {
  const { phase, load } = await runPhase(context, closed(durationMs), (8_000 * durationMs) / saturationMs);
  if (phase.acknowledged > 0) return phase;
  const [answer = ['no answer', phase.sent]] = Object.entries({ ...load.statuses, ...load.errors });
  throw new Error(`no webhook of ${phase.sent} was acknowledged: ${answer[0]}, ${answer[1]} times`);
}

function closed(durationMs: number) {
  return { shape: 'closed', connections: closedConnections, durationMs } as const;
}

/** From 0.4 to 1.6 times the closed loop's rate: the curve, and where the objective is lost. */
async function runRamp(context: PhaseContext, saturationRate: number, durationMs: number): Promise<CurvePoint[]> {
  const plan = {
    shape: 'ramp',
    fromRate: saturationRate * 0.4,
    toRate: saturationRate * 1.6,
    durationMs,
  } as const;
  const { load } = await runPhase(context, plan, saturationRate * (durationMs / 1e3));
  return curveOf(load, plan);
}

function curveOf(load: LoadResult, plan: { shape: 'ramp'; fromRate: number; toRate: number; durationMs: number }) {
  return load.windows
    .filter((window) => window.startMs < plan.durationMs)
    .map((window) => {
      const lengthMs = Math.min(1_000, plan.durationMs - window.startMs);
      return {
        offeredRate: rateAt(plan, window.startMs + lengthMs / 2),
        rate: window.completed / (lengthMs / 1e3),
        p50Ms: window.p50Ms,
        p99Ms: window.p99Ms,
        errors: window.failed,
      };
    });
}

/** Holds one rate after another; the highest that kept the objective counts, or the last one when none did. */
async function findPeak(context: PhaseContext, first: number, durationMs: number) {
  const attempts: IngestData['attempts'] = [];
  let peak: LoadPhase | undefined;
  let last: LoadPhase | undefined;
  for (let rate: number | undefined = first; rate !== undefined; rate = nextRate(attempts, maxHolds)) {
    last = await hold(context, rate, durationMs);
    const kept = keeps(last);
    attempts.push({ offeredRate: rate, rate: last.rate, p99Ms: last.latency.p99Ms, kept });
    if (kept && last.rate > (peak?.rate ?? 0)) peak = last;
  }
  return { peak: peak ?? last!, attempts };
}

/** Longer where the rate is so low that its p99 would rest on a few requests. */
async function hold(context: PhaseContext, rate: number, wantedMs: number): Promise<LoadPhase> {
  const durationMs = Math.max(wantedMs, Math.min((fewestRequests * 1.1e3) / rate, wantedMs * longestHold));
  const plan = { shape: 'constant', rate, durationMs } as const;
  return (await runPhase(context, plan, rate * (durationMs / 1e3))).phase;
}

function compareServers(before: ServerCounters, after: ServerCounters) {
  return {
    diskGrowthBytes: after.databaseBytes - before.databaseBytes,
    checkpoints: {
      requested: after.checkpointsRequested - before.checkpointsRequested,
      timed: after.checkpointsTimed - before.checkpointsTimed,
    },
    restarts: after.startedAt === before.startedAt ? 0 : 1,
  };
}
