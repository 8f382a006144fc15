import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { auditRun } from '../../../audit/audit.ts';
import type { TopologyName } from '../../../kernel/topology.ts';
import { untilDrained } from '../../../operations/status/drain.ts';
import { MissingPartError } from '../../../runtime/native/missing-part.ts';
import { type RunningSystem, startSystem } from '../../../runtime/native/system.ts';
import { describeEnvironment } from '../../measure/environment.ts';
import { judgeLookedUp } from '../../measure/judge-audit.ts';
import type { Note, Place, ReadyArm } from '../../runner/part.ts';
import { type BenchRun, createRun } from '../../runner/run.ts';
import { runId } from '../../runner/run-id.ts';
import type { Environment } from '../../schema/environment.ts';
import { type Measurement, turnsOf } from '../../schema/turn.ts';
import type { BenchOptions } from '../scenario.ts';
import { type Engine, type EngineFreshness, engineFreshness, engines, type FreshnessDocument } from './document.ts';
import { measureEngine } from './measure-engine.ts';
import { missingEngine } from './missing-engine.ts';
import type { FreshnessPace } from './pace.ts';
import { judgeTargets } from './targets.ts';

export interface FreshnessOptions extends Omit<BenchOptions, 'rounds'> {
  pace: FreshnessPace;
  /** Whether a run without any engine is an error. */
  needsOne?: boolean;
  /** Says just before an engine's turn why it is left out; undefined where it is not. */
  leaveOut?(engine: Engine): string | undefined;
}

const engineTurn = { name: 'freshness', data: engineFreshness, metrics: () => ({}) };

/**
 * Both engines one after the other on the same topology, workload and machine, each on a system of its own: a broker
 * and a JVM beside the native engine would take the cores that it is measured on. Every engine's system is audited.
 */
export function createFreshnessRun(options: FreshnessOptions): BenchRun<FreshnessDocument> {
  const startedAt = new Date();
  const absent: FreshnessDocument['absent'] = [];
  let environment: Environment | undefined;
  return createRun({
    startTitle: 'look at the machine',
    start: async () => {
      environment = await describeEnvironment();
    },
    parts: [
      {
        name: engineTurn.name,
        kind: engineTurn.name,
        prepareTitle: 'the way to ClickHouse',
        rounds: 1,
        open: async () => engines.map((engine) => readyEngine(engine, options, absent)),
        close: async () => {},
      },
    ],
    describe: async (measurements) => {
      const measured = turnsOf(engineTurn, measurements).flatMap(({ data }) => data ?? []);
      if (options.needsOne && measured.length === 0) {
        throw new MissingPartError(absent.map(({ reason }) => reason).join('; '), 'see lab doctor');
      }
      return describeEngines(measured, { options, startedAt, environment: environment!, absent });
    },
    signal: options.signal,
  });
}

interface RunFacts {
  options: FreshnessOptions;
  startedAt: Date;
  environment: Environment;
  absent: FreshnessDocument['absent'];
}

function describeEngines(measured: EngineFreshness[], facts: RunFacts): FreshnessDocument {
  const { options, startedAt, environment, absent } = facts;
  const drainOf = (engine: Engine) => measured.find((one) => one.engine === engine)?.drain.eventsPerSecond;
  const native = drainOf('native');
  const debezium = drainOf('debezium');
  return {
    schemaVersion: 1,
    id: runId(startedAt, 'freshness'),
    scenario: 'freshness',
    command: options.command,
    startedAt: startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
    seed: options.seed,
    topology: options.topology,
    environment,
    engines: measured,
    absent,
    drainRatio: native && debezium ? Math.round((native / debezium) * 100) / 100 : null,
    targets: judgeTargets(measured),
    verdict: measured.every(({ verdict }) => verdict === 'VALID') ? 'VALID' : 'DISCARDED',
  };
}

function readyEngine(engine: Engine, options: FreshnessOptions, absent: FreshnessDocument['absent']): ReadyArm {
  return {
    name: engine,
    turn: async (place, note) => {
      const reason = options.leaveOut?.(engine) ?? (await missingEngine(engine, options.topology));
      if (reason === undefined) return turnOf(engine, options, place, note);
      absent.push({ engine, reason });
      note(`${engine} left out: ${reason}`);
      return undefined;
    },
  };
}

async function turnOf(
  engine: Engine,
  options: FreshnessOptions,
  place: Place,
  note: Note,
): Promise<Measurement<EngineFreshness>> {
  const startedAt = new Date();
  const data = await runEngine(engine, options, (line) => note(`${engine}: ${line}`));
  return {
    scenario: engineTurn.name,
    arm: engine,
    ...place,
    startedAt: startedAt.toISOString(),
    durationS: (Date.now() - startedAt.getTime()) / 1e3,
    verdict: data.verdict,
    reasons: data.reasons,
    data,
  };
}

/** From the start of the engine's system to its audit. */
async function runEngine(engine: Engine, options: FreshnessOptions, progress: Note): Promise<EngineFreshness> {
  const { topology, seed, scale, pace, signal } = options;
  const directory = await mkdtemp(path.join(os.tmpdir(), 'lab-freshness-'));
  const began = performance.now();
  let system: RunningSystem | undefined;
  try {
    system = await startSystem({ topology, cdc: engine, signal, progress, apiEnvironment: { LOG_LEVEL: 'warn' } });
    const startS = (performance.now() - began) / 1e3;
    const recordFile = path.join(directory, 'acks.jsonl');
    const run = `f${randomBytes(3).toString('hex')}`;
    const { measured, acknowledged } = await measureEngine({
      engine,
      topology,
      system,
      recordFile,
      seed,
      run,
      scale,
      pace,
      signal,
      progress,
    });
    const recordFiles = pace.closedMs === null ? [recordFile, `${recordFile}.peak`] : [recordFile];
    const audit = await auditEngine(system, topology, recordFiles, signal);
    progress(`audit ${audit.ok ? 'clean' : 'BROKEN'}`);
    const broken = audit.invariants.filter(({ ok }) => !ok);
    const reasons = [
      ...measured.reasons,
      ...broken.map(({ id, violations }) => `audit: ${id} broken ${violations} times`),
      ...judgeLookedUp(audit, acknowledged),
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
