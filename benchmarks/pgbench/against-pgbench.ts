import { randomBytes } from 'node:crypto';
import { type AuditResult, auditRun } from '../../audit/audit.ts';
import { withClient } from '../../kernel/postgres/with-client.ts';
import type { TopologyName } from '../../kernel/topology.ts';
import { migrate } from '../../sql/migrate.ts';
import { inspectArm, startArms } from '../compare/arms.ts';
import type { ComparisonRun, Step } from '../compare/comparison.ts';
import { closeScenario, measureOnce, type OpenScenario, openScenario } from '../compare/rounds.ts';
import { compareToControl, summarizeArm } from '../compare/summary.ts';
import { judgeArm } from '../compare/verdict.ts';
import { describeEnvironment } from '../measure/environment.ts';
import { vacuum } from '../measure/vacuum.ts';
import { runId } from '../runner/run-id.ts';
import { closedConnections } from '../scenarios/ingest/ingest.ts';
import type { Arm } from '../scenarios/scenario.ts';
import { withDatabase } from '../scenarios/timeline/dataset.ts';
import type { ArmResult, Comparison, Measurement, RunDocument } from '../schema/run.ts';
import {
  type PgbenchResult,
  pgbenchClients,
  pgbenchForms,
  pgbenchVersion,
  preparePgbench,
  runPgbench,
} from './pgbench.ts';

export interface AgainstPgbenchOptions {
  command: string;
  /** The scripts know the tables of `plain`. */
  topology: TopologyName;
  rounds: number;
  seed: number;
  scale: number;
  signal: AbortSignal;
}

const name = 'pgbench';
const sweepSeconds = 3;
const runSeconds = 5;

/**
 * The lab's `ingest` against pgbench with the same one-webhook transaction: same server, same tables, rows and
 * indexes, in a database of its own, since pgbench's rows would break the audit. Turns alternate (A B, B A, …). pgbench
 * runs with the client counts at which each of its two forms was fastest in a sweep before, and its better form counts.
 * @throws MissingPartError when pgbench is not installed.
 */
export async function createAgainstPgbench(options: AgainstPgbenchOptions): Promise<ComparisonRun> {
  return new Run(options, await pgbenchVersion());
}

class Run implements ComparisonRun {
  readonly steps: Step[];
  readonly #options: AgainstPgbenchOptions;
  readonly #version: string;
  readonly #startedAt = new Date();
  readonly #stops: (() => Promise<void>)[] = [];
  readonly #measurements: Measurement[] = [];
  #arm: Arm | undefined;
  #dsn = '';
  #open: OpenScenario | undefined;
  #best: PgbenchResult[] = [];
  #pgbenchRuns = 0;
  #audit: { result: AuditResult; seconds: number } | undefined;
  #document: RunDocument | undefined;

  constructor(options: AgainstPgbenchOptions, version: string) {
    this.#options = options;
    this.#version = version;
    const rounds = Array.from({ length: options.rounds }, (_, at) => at + 1);
    this.steps = [
      { title: `start ${options.topology}`, run: (note) => this.#boot(note) },
      { title: 'find the clients that suit pgbench', run: (note) => this.#sweep(note) },
      ...rounds.map((round) => ({
        title: `round ${round} of ${options.rounds}`,
        run: (note: (line: string) => void) => this.#round(round, note),
      })),
      { title: 'audit', run: (note) => this.#runAudit(note) },
      { title: 'judge and describe', run: () => this.#describe() },
    ];
  }

  document(): RunDocument {
    if (!this.#document) throw new Error('the comparison has not come to its end');
    return this.#document;
  }

  async close(): Promise<void> {
    if (this.#open) await closeScenario(this.#open);
    this.#open = undefined;
    for (const stop of this.#stops.splice(0).toReversed()) await stop();
  }

  async #boot(note: (line: string) => void): Promise<void> {
    const { topology, signal, seed, scale } = this.#options;
    const onStop = (stop: () => Promise<void>) => this.#stops.push(stop);
    const { running, absent } = await startArms({ topologies: [topology], signal, note, onStop });
    if (!running[0]) throw new Error(absent[0]?.reason ?? `${topology} can't run here`);
    const arm = running[0];
    this.#arm = arm;
    await withClient(arm.system.dsn.admin, (client) => client.query(`create database ${name}`));
    this.#dsn = withDatabase(arm.system.dsn.admin, name);
    await migrate({ dsn: this.#dsn, topology });
    await preparePgbench(this.#dsn);
    const run = `p${randomBytes(3).toString('hex')}`;
    const startTimeMs = this.#startedAt.getTime();
    this.#open = await openScenario('ingest', [arm], { seed, scale, signal, run, startTimeMs, progress: note });
  }

  async #sweep(note: (line: string) => void): Promise<void> {
    for (const form of pgbenchForms) {
      let best: PgbenchResult | undefined;
      for (const clients of pgbenchClients) {
        this.#options.signal.throwIfAborted();
        const result = await runPgbench(this.#dsn, { form, clients, seconds: sweepSeconds, seed: this.#nextSeed() });
        note(`${form}, ${clients} clients: ${Math.round(result.rate)}/s`);
        if (result.rate > (best?.rate ?? 0)) best = result;
      }
      this.#best.push(best!);
    }
  }

  /** A seed used twice would draw the same event ids again, and every webhook would be a duplicate. */
  #nextSeed(): number {
    this.#pgbenchRuns += 1;
    return this.#options.seed * 1_000 + this.#pgbenchRuns;
  }

  async #round(round: number, note: (line: string) => void): Promise<void> {
    const turns = [() => this.#ingest(round, note), () => this.#pgbench(round, note)];
    for (const turn of round % 2 === 1 ? turns : turns.toReversed()) {
      this.#options.signal.throwIfAborted();
      await turn();
    }
  }

  async #ingest(round: number, note: (line: string) => void): Promise<void> {
    const turn = { round, position: round % 2 === 1 ? 1 : 2 };
    const measurement = await measureOnce(this.#open!, this.#arm!, turn, this.#options.signal);
    this.#measurements.push(measurement);
    const rate = measurement.scenario === 'ingest' ? measurement.data?.peak.rate : undefined;
    note(`${measurement.arm}: ${Math.round(rate ?? 0)} webhooks/s ${measurement.reasons.join('; ')}`);
  }

  async #pgbench(round: number, note: (line: string) => void): Promise<void> {
    const startedAt = new Date();
    // As before every round of the lab's own: nothing of an earlier turn is left to be written back.
    await withClient(this.#dsn, (client) => client.query('checkpoint'));
    const runs: PgbenchResult[] = [];
    for (const { form, clients } of this.#best) {
      const seconds = Math.ceil(runSeconds * this.#options.scale);
      runs.push(await runPgbench(this.#dsn, { form, clients, seconds, seed: this.#nextSeed() }));
    }
    const durationS = (Date.now() - startedAt.getTime()) / 1e3;
    await vacuum([this.#dsn]);
    const rate = Math.max(...runs.map((result) => result.rate));
    this.#measurements.push({
      scenario: 'pgbench',
      arm: name,
      round,
      position: round % 2 === 1 ? 2 : 1,
      startedAt: startedAt.toISOString(),
      durationS,
      verdict: 'VALID',
      reasons: [],
      data: { version: this.#version, rate, runs },
    });
    note(`pgbench: ${runs.map((result) => `${result.form} ${Math.round(result.rate)}/s`).join(', ')}`);
  }

  async #runAudit(note: (line: string) => void): Promise<void> {
    const { topology, system, recordFile } = this.#arm!;
    await closeScenario(this.#open!);
    this.#open = undefined;
    const startedAt = performance.now();
    const result = await auditRun({ dsn: system.dsn.admin, topology, recordFiles: [recordFile] });
    this.#audit = { result, seconds: (performance.now() - startedAt) / 1e3 };
    note(`${topology}: ${result.ok ? 'clean' : 'BROKEN'}`);
  }

  async #describe(): Promise<void> {
    const { command, seed, rounds } = this.#options;
    const arms = await this.#armResults();
    const comparisons = compareToControl(this.#measurements, name, seed);
    const reasons = arms.flatMap((arm) => arm.reasons.map((reason) => `${arm.name}: ${reason}`));
    this.#document = {
      schemaVersion: 1,
      id: runId(this.#startedAt, 'ingest-pgbench'),
      command,
      startedAt: this.#startedAt.toISOString(),
      finishedAt: new Date().toISOString(),
      seed,
      rounds,
      control: name,
      scenarios: ['ingest'],
      environment: await describeEnvironment(),
      arms,
      absent: [],
      measurements: this.#measurements,
      comparisons,
      baseline: null,
      verdict: reasons.length === 0 ? 'VALID' : 'DISCARDED',
      reasons,
      ...describeRatio(this.#options.topology, comparisons, arms),
    };
  }

  async #armResults(): Promise<ArmResult[]> {
    const arm = this.#arm!;
    const inspected = await inspectArm(arm);
    const settle = (own: readonly Measurement[], audit: AuditResult | null) => {
      const summary = summarizeArm(own);
      const rate = summary['ingest.rate'];
      const reasons = judgeArm({ measurements: own, audit, rate, rounds: this.#options.rounds });
      return { summary, reasons, verdict: reasons.length === 0 ? ('VALID' as const) : ('DISCARDED' as const) };
    };
    const of = (armName: string) => this.#measurements.filter((measurement) => measurement.arm === armName);
    const best = this.#best.map(({ form, clients }) => `${form} with ${clients} clients`).join(', ');
    const audit = this.#audit ? { ...this.#audit.result, durationS: this.#audit.seconds } : null;
    return [
      {
        ...inspected,
        name,
        topology: null,
        description: `pgbench ${this.#version}, prepared, one webhook a transaction on the same server: ${best}`,
        topStatements: [],
        audit: null,
        ...settle(of(name), null),
      },
      { ...inspected, name: arm.name, topology: arm.topology, audit, ...settle(of(arm.name), audit) },
    ];
  }
}

function describeRatio(topology: string, comparisons: readonly Comparison[], arms: readonly ArmResult[]) {
  const ratio = (metric: string) => comparisons.find((entry) => entry.metric === metric);
  const open = ratio('ingest.rate');
  const closed = ratio('ingest.saturationRate');
  if (!open || !closed) return { conclusion: 'Nothing could be compared.', findings: [] };
  const rates = arms.map((arm) => `${arm.name} ${Math.round(arm.summary['ingest.rate']?.median ?? 0)}/s`).join(', ');
  const text = (entry: Comparison) => `${entry.ratio.toFixed(2)} × [${entry.low.toFixed(2)}, ${entry.high.toFixed(2)}]`;
  return {
    conclusion: `ingest on ${topology}, signed webhooks over HTTP at p99 ≤ 100 ms, takes ${text(open)} of pgbench’s best rate with the same transaction.`,
    findings: [
      `Medians: ${rates}.`,
      `As fast as ${closedConnections} connections can go (closed loop, like pgbench), ingest takes ${text(closed)} of pgbench’s best rate.`,
    ],
  };
}
