import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { Client } from 'pg';
import type { TopologyName } from '../../../kernel/topology.ts';
import { waitUntil } from '../../../kernel/wait.ts';
import { countSunkEvents, countSunkRows } from '../../../operations/status/drain.ts';
import type { RunningSystem } from '../../../runtime/native/system.ts';
import { percentiles } from '../../../simulator/driver/histogram.ts';
import { judgePhase } from '../../measure/judge-phase.ts';
import { type AckRecord, openAckRecord } from '../ingest/ack-record.ts';
import { type PhaseContext, runPhase } from '../ingest/phase.ts';
import { closedConnections, openIngest } from '../ingest/rounds.ts';
import { createWebhookSource } from '../ingest/webhook-source.ts';
import { fillOutbox } from './backlog.ts';
import type { Engine, EngineFreshness } from './document.ts';
import { type Drain, measureDrain } from './drain.ts';
import { engineControl } from './engine-control.ts';
import { lagOverTime } from './lag.ts';
import type { FreshnessPace } from './pace.ts';
import { slowStage, stageLatencies } from './stages.ts';
import { startVisibilityProbe, type VisibilityProbe } from './visibility.ts';

export interface MeasureEngineOptions {
  engine: Engine;
  topology: TopologyName;
  system: RunningSystem;
  recordFile: string;
  seed: number;
  /** Begins every id; 1 to 12 small letters and digits. */
  run: string;
  scale: number;
  pace: FreshnessPace;
  signal: AbortSignal;
  progress: (line: string) => void;
}

export type Measured = Pick<
  EngineFreshness,
  'highestRate' | 'highestRateBy' | 'load' | 'steady' | 'drain' | 'cpuSeconds' | 'reasons'
>;

export interface MeasuredEngine {
  measured: Measured;
  /** Webhooks that the client counted as acknowledged, each once. */
  acknowledged: number;
}

const probePauseMs = 10;
/** A drain takes seconds, and a look costs the ClickHouse that it watches a query. */
const drainPauseMs = 25;
/** Samples a second are enough for a p99, and few enough not to be a load of their own. */
const samplesPerSecond = 100;

/**
 * The highest ingest rate with the engine at work, then half of it for the freshness, then a backlog while nothing
 * reads the outbox, and how fast that is worked off.
 */
export async function measureEngine(options: MeasureEngineOptions): Promise<MeasuredEngine> {
  const { system, signal, scale, progress } = options;
  const clickhouse = createClient({ url: system.urls.clickhouse! });
  const client = new Client({ connectionString: system.dsn.admin, application_name: 'lab-bench' });
  client.on('error', () => {});
  await client.connect();
  const record = await openAckRecord(options.recordFile);
  try {
    const { closedMs, steadyMs } = options.pace;
    const context = phaseContext(options, client, record);
    const { highestRate, acknowledged } =
      closedMs === null
        ? await findHighestRate(options)
        : { highestRate: await estimateHighestRate(context, closedMs), acknowledged: 0 };
    progress(`${Math.round(highestRate)} webhooks/s ${closedMs === null ? 'at p99 ≤ 100 ms' : 'in a closed loop'}`);
    await untilSunk(client, clickhouse, signal);
    const { load, steady } = await measureSteady(context, clickhouse, highestRate / 2, steadyMs * scale);
    progress(`accepted → visible: p99 ${Math.round(steady.latency.p99Ms)} ms`);
    const drain = await measureBacklog(client, clickhouse, options);
    progress(`${drain.backlog} events drained at ${drain.eventsPerSecond} a second`);
    const reasons = judgePhase('steady phase', load);
    if (steady.unseen > 0) reasons.push(`${steady.unseen} acknowledged events never became visible`);
    const highestRateBy = closedMs === null ? 'search' : 'closed loop';
    const measured = { highestRate, highestRateBy, load, steady, drain, cpuSeconds: load.cpuSeconds, reasons } as const;
    return { measured, acknowledged: acknowledged + record.distinct };
  } finally {
    await record.close();
    await clickhouse.close();
    await client.end();
  }
}

async function findHighestRate(options: MeasureEngineOptions) {
  const { engine, topology, system, recordFile, seed, scale, signal, progress } = options;
  const arm = { name: engine, topology, system, recordFile: `${recordFile}.peak` };
  const session = await openIngest(arm, {
    seed,
    run: `${options.run}p`,
    startTimeMs: Date.now(),
    scale: Math.min(scale, 1),
    signal,
    progress,
  });
  try {
    const highestRate = (await session.measure(1)).peak.rate;
    return { highestRate, acknowledged: session.acknowledged!() };
  } finally {
    await session.close();
  }
}

/** The first half of the loop warms the processes up; the second half counts. */
async function estimateHighestRate(context: PhaseContext, durationMs: number): Promise<number> {
  const plan = { shape: 'closed', connections: closedConnections, durationMs: durationMs / 2 } as const;
  await runPhase(context, plan, 2_000 * (durationMs / 1e3));
  return (await runPhase(context, plan, 3_000 * (durationMs / 1e3))).phase.rate;
}

function phaseContext(options: MeasureEngineOptions, client: Client, record: AckRecord): PhaseContext {
  const { system, seed, run, signal } = options;
  const source = createWebhookSource({
    seed: seed + 1,
    run: `${run}s`,
    startTimeMs: Date.now(),
    secrets: system.secrets,
    now: () => new Date(),
  });
  const components = {
    api: [system.api.pid],
    postgres: [system.primary.pid],
    ...(system.cdcProcess && { cdc: [system.cdcProcess.pid] }),
    ...(system.clickhouse && { clickhouse: [system.clickhouse.pid] }),
    ...(system.broker && { broker: [system.broker.pid] }),
    ...(system.connect && { connect: [system.connect.pid] }),
  };
  return { url: system.urls.api, source, record, clients: [client], components, seed, signal };
}

async function measureSteady(context: PhaseContext, clickhouse: ClickHouseClient, rate: number, durationMs: number) {
  const probe = startVisibilityProbe({
    client: clickhouse,
    // Seven tenths of the traffic are order events with an effect.
    every: Math.max(1, Math.round((rate * 0.7) / samplesPerSecond)),
    pauseMs: probePauseMs,
    clock: () => performance.now(),
  });
  const sinceMs = Date.now();
  const watched = { ...context, record: watchedBy(context.record, probe) };
  const { phase: load } = await runPhase(watched, { shape: 'constant', rate, durationMs }, rate * (durationMs / 1e3));
  const unseen = await probe.finish(30_000);
  const stages = await stageLatencies(clickhouse, sinceMs);
  const steady = {
    latency: percentiles(probe.latency),
    unseen,
    probePauseMs,
    stages,
    slowStage: slowStage(stages),
    lag: lagOverTime(probe.samples, Math.min(...probe.samples.map(({ acknowledgedAtMs }) => acknowledgedAtMs))),
  };
  return { load, steady };
}

function watchedBy(record: AckRecord, probe: VisibilityProbe): AckRecord {
  return {
    get acknowledged() {
      return record.acknowledged;
    },
    get distinct() {
      return record.distinct;
    },
    answered: (request, answer) => {
      probe.answered(request, answer);
      record.answered(request, answer);
    },
    read: record.read,
    flush: record.flush,
    close: record.close,
  };
}

async function measureBacklog(
  client: Client,
  clickhouse: ClickHouseClient,
  { signal, scale, system, progress, pace }: MeasureEngineOptions,
): Promise<Drain & { stoppedS: number }> {
  await untilSunk(client, clickhouse, signal);
  const engine = engineControl(system);
  await engine.stop();
  const stoppedAt = performance.now();
  progress('filling the outbox while nothing reads it');
  await fillOutbox(client, pace.backlogEvents * scale, signal);
  const source = await countOutbox(client);
  const stoppedS = (performance.now() - stoppedAt) / 1e3;
  const drain = await measureDrain({
    source,
    countRows: () => countSunkRows(clickhouse),
    countEvents: () => countSunkEvents(clickhouse),
    resume: () => engine.resume(),
    clock: () => performance.now(),
    pauseMs: drainPauseMs,
    timeoutMs: 300_000,
    signal,
  });
  return { ...drain, stoppedS };
}

async function untilSunk(client: Client, clickhouse: ClickHouseClient, signal: AbortSignal): Promise<void> {
  let left = 0;
  const isSunk = async () => {
    const source = await countOutbox(client);
    left = source - (await countSunkEvents(clickhouse));
    return left <= 0;
  };
  if (await waitUntil(isSunk, { timeoutMs: 120_000, intervalMs: 100, signal })) return;
  throw new Error(`${left} events have not come to ClickHouse`);
}

async function countOutbox(client: Client): Promise<number> {
  const { rows } = await client.query<{ n: string }>('select count(*) as n from outbox');
  return Number(rows[0]!.n);
}
