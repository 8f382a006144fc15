import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { auditRun } from '../../../audit/audit.ts';
import { type RunningSystem, startSystem } from '../../../runtime/native/system.ts';
import { describeEnvironment } from '../../measure/environment.ts';
import { sampleCpu } from '../../measure/process-cpu.ts';
import type { Note, ReadyArm } from '../../runner/part.ts';
import { type BenchRun, createRun } from '../../runner/run.ts';
import { runId } from '../../runner/run-id.ts';
import type { Environment } from '../../schema/environment.ts';
import { type Measurement, turnsOf } from '../../schema/turn.ts';
import { closedConnections as connections } from '../ingest/rounds.ts';
import type { BenchOptions } from '../scenario.ts';
import { type AcceptanceDocument, type ArmName, acceptanceRound, armNames, type Mode, modes } from './document.ts';
import { describeArms, judgeAcceptance, type Rounds, ratioOfRates } from './judge.ts';
import { openSystemUnderLoad, type SystemUnderLoad } from './system-under-load.ts';

const loadMs = 4_000;
/** Both runtimes go on compiling for this long; a broker that was started a moment ago takes twice the CPU. */
const warmUpMs = 12_000;

const acceptanceTurn = {
  name: 'acceptance',
  data: acceptanceRound.omit({ round: true, position: true }),
  metrics: () => ({}),
};

/**
 * The highest rate at which webhooks are accepted in either mode, in interleaved rounds on the same machine: sync mode
 * answers after COMMIT, kafka mode when the broker has synced its log. Kafka mode is measured twice, with the consumers
 * at work on the same cores, and with the consumers stopped until the load has ended, as in a burst that is worked off
 * later. Both systems are audited after the last message was applied.
 */
export function createAcceptanceRun(options: BenchOptions): BenchRun<AcceptanceDocument> {
  const acceptance = new Acceptance(options);
  return createRun({
    startTitle: `start ${modes.join(', ')}`,
    start: (note, onStop) => acceptance.start(note, onStop),
    parts: [
      {
        name: acceptanceTurn.name,
        kind: acceptanceTurn.name,
        rounds: options.rounds,
        open: (note) => acceptance.open(note),
        audit: (note) => acceptance.audit(note),
        close: () => acceptance.close(),
      },
    ],
    describe: async (measurements) => acceptance.describe(measurements),
    signal: options.signal,
  });
}

class Acceptance {
  readonly #options: BenchOptions;
  readonly #startedAt = new Date();
  readonly #systems = new Map<Mode, RunningSystem>();
  readonly #loads = new Map<Mode, SystemUnderLoad>();
  readonly #counted = new Map<Mode, number>();
  readonly #audits: AcceptanceDocument['audits'] = [];
  #environment: Environment | undefined;
  #directory = '';
  #idleBrokerCores = 0;

  constructor(options: BenchOptions) {
    this.#options = options;
  }

  /** Each system is warm before the next one starts. @throws MissingPartError where there is no broker. */
  async start(note: Note, onStop: (stop: () => Promise<void>) => void): Promise<void> {
    const { topology, seed, scale, signal } = this.#options;
    this.#environment = await describeEnvironment();
    this.#directory = await mkdtemp(path.join(os.tmpdir(), 'lab-acceptance-'));
    onStop(() => rm(this.#directory, { recursive: true, force: true }));
    for (const mode of modes) {
      const system = await startSystem({
        topology,
        mode,
        cdc: 'off',
        signal,
        progress: (line) => note(`${mode}: ${line}`),
        apiEnvironment: { LOG_LEVEL: 'warn' },
        ingestEnvironment: { LOG_LEVEL: 'warn' },
      });
      this.#systems.set(mode, system);
      onStop(() => system.stop());
      const run = `a${randomBytes(3).toString('hex')}`;
      const recordFile = this.#recordOf(mode);
      const load = await openSystemUnderLoad({ system, recordFile, seed, run, connections, signal });
      this.#loads.set(mode, load);
      onStop(() => this.close().catch(() => {}));
      note(`${mode}: warming up`);
      await load.warmUp(warmUpMs * scale);
    }
  }

  async open(note: Note): Promise<ReadyArm[]> {
    this.#idleBrokerCores = await idleCores(this.#systems.get('kafka')!.broker!.pid);
    note(`the idle broker takes ${(this.#idleBrokerCores * 100).toFixed(1)} % of a core`);
    return armNames.map((name) => this.#readyArm(name));
  }

  async close(): Promise<void> {
    const loads = [...this.#loads];
    this.#loads.clear();
    for (const [mode, load] of loads) {
      this.#counted.set(mode, load.acknowledged());
      await load.close();
    }
  }

  async audit(note: Note): Promise<void> {
    for (const mode of modes) {
      const counted = this.#counted.get(mode)!;
      const { ok, invariants } = await auditRun({
        dsn: this.#systems.get(mode)!.dsn.admin,
        topology: this.#options.topology,
        recordFiles: [this.#recordOf(mode)],
      });
      const broken = invariants
        .filter((invariant) => !invariant.ok)
        .map(({ id, violations }) => `${id} broken ${violations} times`);
      const acknowledged = invariants.find(({ id }) => id === 'I2')?.checked ?? 0;
      this.#audits.push({ mode, ok, acknowledged, counted, broken });
      note(`${mode}: ${ok ? 'clean' : 'BROKEN'}, ${acknowledged} acknowledged webhooks looked up`);
    }
  }

  describe(measurements: readonly Measurement[]): AcceptanceDocument {
    const { command, topology, seed } = this.#options;
    const measured = roundsByArm(measurements);
    const ratios = {
      concurrent: ratioOfRates(measured, 'kafka'),
      burst: ratioOfRates(measured, 'kafka-burst'),
    };
    const ofTurns = measurements.flatMap(({ arm, round, reasons: own }) => {
      return own.map((reason) => `${arm}, round ${round}: ${reason}`);
    });
    const reasons = [...ofTurns, ...judgeAcceptance(measured, this.#audits)];
    return {
      schemaVersion: 1,
      id: runId(this.#startedAt, 'acceptance'),
      scenario: 'acceptance',
      command,
      startedAt: this.#startedAt.toISOString(),
      finishedAt: new Date().toISOString(),
      seed,
      topology,
      environment: this.#environment!,
      connections,
      arms: describeArms(measured),
      ratios,
      idleBrokerCores: this.#idleBrokerCores,
      audits: this.#audits,
      target: {
        what: 'webhooks accepted in kafka mode (acks=all) with the consumers at work, over sync mode',
        target: '≥ 1.00 ×',
        measured: `${ratios.concurrent.ratio.toFixed(2)} × (consumers stopped: ${ratios.burst.ratio.toFixed(2)} ×)`,
        met: ratios.concurrent.ratio >= 1,
      },
      reasons,
      verdict: reasons.length === 0 ? 'VALID' : 'DISCARDED',
    };
  }

  #readyArm(name: ArmName): ReadyArm {
    const load = this.#loads.get(name === 'sync' ? 'sync' : 'kafka')!;
    return {
      name,
      turn: async (place, note) => {
        const startedAt = new Date();
        const data = await load.measure(loadMs * this.#options.scale, name !== 'kafka-burst');
        if (data.load.acknowledged === 0) throw new Error(`round ${place.round}: ${name} accepted no webhook at all`);
        note(`${name} accepted ${Math.round(data.load.rate)} webhooks/s`);
        return {
          scenario: acceptanceTurn.name,
          arm: name,
          ...place,
          startedAt: startedAt.toISOString(),
          durationS: (Date.now() - startedAt.getTime()) / 1e3,
          verdict: 'VALID',
          reasons: [],
          data,
        };
      },
    };
  }

  #recordOf(mode: Mode): string {
    return path.join(this.#directory, `${mode}.jsonl`);
  }
}

function roundsByArm(measurements: readonly Measurement[]): Rounds {
  const turns = turnsOf(acceptanceTurn, measurements);
  return new Map(
    armNames.map((name) => [
      name,
      turns.filter(({ arm }) => arm === name).map(({ round, position, data }) => ({ round, position, ...data! })),
    ]),
  );
}

/** What a process takes of the cores while no request is on its way. */
async function idleCores(pid: number): Promise<number> {
  const idleMs = 2_000;
  const before = (await sampleCpu({ broker: pid })).broker!;
  await delay(idleMs);
  return ((await sampleCpu({ broker: pid })).broker! - before) / (idleMs / 1e3);
}
