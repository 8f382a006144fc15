import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { auditRun } from '../../../audit/audit.ts';
import type { TopologyName } from '../../../kernel/topology.ts';
import { untilDrained } from '../../../operations/status/drain.ts';
import { type RunningSystem, startSystem } from '../../../runtime/native/system.ts';
import { describeEnvironment } from '../../measure/environment.ts';
import { runId } from '../../runner/run-id.ts';
import type { EngineFreshness, FreshnessDocument } from './document.ts';
import { type FreshnessPace, measureEngine } from './measure-engine.ts';
import { judgeTargets } from './targets.ts';

export interface FreshnessOptions {
  command: string;
  topology: TopologyName;
  seed: number;
  scale: number;
  pace: FreshnessPace;
  signal: AbortSignal;
  progress: (line: string) => void;
  /** Says before anything is started what keeps an engine from running here; undefined where nothing does. */
  missing: (engine: Engine) => Promise<string | undefined>;
}

export type Engine = EngineFreshness['engine'];

const engines = ['native', 'debezium'] as const;

/**
 * Both engines one after the other on the same topology, workload and machine, each on a system of its own: a broker
 * and a JVM beside the native engine would take the cores that it is measured on. Every engine's system is audited.
 */
export async function runFreshness(options: FreshnessOptions): Promise<FreshnessDocument> {
  const { command, topology, seed, progress } = options;
  const startedAt = new Date();
  const environment = await describeEnvironment();
  const measured: EngineFreshness[] = [];
  const absent: FreshnessDocument['absent'] = [];
  for (const engine of engines) {
    options.signal.throwIfAborted();
    const reason = await options.missing(engine);
    if (reason) absent.push({ engine, reason });
    else measured.push(await runEngine(engine, { ...options, progress: (line) => progress(`${engine}: ${line}`) }));
  }
  const drainOf = (engine: Engine) => measured.find((one) => one.engine === engine)?.drain.eventsPerSecond;
  const [native, debezium] = [drainOf('native'), drainOf('debezium')];
  return {
    schemaVersion: 1,
    id: runId(startedAt, 'freshness'),
    scenario: 'freshness',
    ...{
      command,
      startedAt: startedAt.toISOString(),
      finishedAt: new Date().toISOString(),
      seed,
      topology,
      environment,
    },
    ...{ engines: measured, absent },
    drainRatio: native && debezium ? Math.round((native / debezium) * 100) / 100 : null,
    targets: judgeTargets(measured),
    verdict: measured.every(({ verdict }) => verdict === 'VALID') ? 'VALID' : 'DISCARDED',
  };
}

async function runEngine(engine: Engine, options: FreshnessOptions): Promise<EngineFreshness> {
  const { topology, signal, progress } = options;
  const directory = await mkdtemp(path.join(os.tmpdir(), 'lab-freshness-'));
  const began = performance.now();
  let system: RunningSystem | undefined;
  try {
    system = await startSystem({ topology, cdc: engine, signal, progress, apiEnvironment: { LOG_LEVEL: 'warn' } });
    const startS = (performance.now() - began) / 1e3;
    const recordFile = path.join(directory, 'acks.jsonl');
    const run = `f${randomBytes(3).toString('hex')}`;
    const measured = await measureEngine({ ...options, engine, system, recordFile, run });
    const audit = await auditEngine(
      system,
      topology,
      options.pace.closedMs === null ? [recordFile, `${recordFile}.peak`] : [recordFile],
      signal,
    );
    progress(`audit ${audit.ok ? 'clean' : 'BROKEN'}`);
    const reasons = [
      ...measured.reasons,
      ...audit.invariants
        .filter(({ ok }) => !ok)
        .map(({ id, violations }) => `audit: ${id} broken ${violations} times`),
    ];
    return { ...measured, engine, startS, audit, reasons, verdict: reasons.length === 0 ? 'VALID' : 'DISCARDED' };
  } finally {
    await system?.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function auditEngine(
  system: RunningSystem,
  topology: TopologyName,
  recordFiles: string[],
  signal: AbortSignal,
): Promise<EngineFreshness['audit']> {
  await untilDrained(system, { timeoutMs: 60_000, signal });
  const startedAt = performance.now();
  const { ok, invariants } = await auditRun({
    dsn: system.dsn.admin,
    topology,
    recordFiles,
    clickhouseUrl: system.urls.clickhouse,
  });
  return {
    ok,
    durationS: (performance.now() - startedAt) / 1e3,
    invariants: invariants.map(({ id, title, checked, violations, ok: holds }) => {
      return { id, title, checked, violations, ok: holds };
    }),
  };
}
