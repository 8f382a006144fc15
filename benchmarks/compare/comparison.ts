import { randomBytes } from 'node:crypto';
import { type AuditResult, auditRun } from '../../audit/audit.ts';
import { type TopologyName, topologyNames } from '../../kernel/topology.ts';
import { describeEnvironment } from '../measure/environment.ts';
import { runId } from '../runner/run-id.ts';
import { readsFindings } from '../scenarios/reads/judge.ts';
import { scenarios } from '../scenarios/registry.ts';
import type { Arm, Scenario, ScenarioName, ScenarioOptions } from '../scenarios/scenario.ts';
import type { ArmResult, Measurement, RunDocument } from '../schema/run.ts';
import { inspectArm, startArms } from './arms.ts';
import { compareToBaseline } from './baseline.ts';
import { conclude } from './conclusion.ts';
import { closeScenario, measureOnce, type OpenScenario, openScenario, orderOfRound } from './rounds.ts';
import { compareToControl, summarizeArm } from './summary.ts';
import { checkpointStorms, judgeArm } from './verdict.ts';

export interface ComparisonOptions {
  /** As the user typed it, for the document. */
  command: string;
  topologies: readonly TopologyName[];
  /** The arm that the others are compared to; the first one when it can't run here. */
  control: TopologyName;
  scenarios: readonly ScenarioName[];
  rounds: number;
  seed: number;
  scale: number;
  signal: AbortSignal;
  baseline?: RunDocument | undefined;
  /** Why the topologies that are not named are left out; that nobody asked for them unless told otherwise. */
  leftOut?: string;
  /** After this long no discarded turn is repeated any more. */
  repeatForMs?: number;
}

/** One stretch of work that a progress display shows as a line. */
export interface Step {
  title: string;
  /** @param note shows what is going on right now */
  run(note: (line: string) => void): Promise<void>;
}

export interface ComparisonRun {
  /** To be run in this order. Whatever happens, `close` has to be called afterwards. */
  steps: Step[];
  /** The result, once every step has run. */
  document(): RunDocument;
  close(): Promise<void>;
}

/** Turns that are repeated in the whole run because they had to be discarded. They stay in the document. */
const maxRepeats = 4;

/** A comparison as a list of steps: boot, interleaved rounds of each scenario, audits, the document. */
export function createComparison(options: ComparisonOptions): ComparisonRun {
  return new Run(options);
}

class Run implements ComparisonRun {
  readonly steps: Step[];
  readonly #options: ComparisonOptions;
  readonly #startedAt = new Date();
  readonly #stops: (() => Promise<void>)[] = [];
  readonly #measurements: Measurement[] = [];
  readonly #audits = new Map<string, { result: AuditResult; seconds: number }>();
  #repeats = 0;
  #arms: Arm[] = [];
  #absent: { name: string; reason: string }[] = [];
  #open: OpenScenario | undefined;
  #document: RunDocument | undefined;

  constructor(options: ComparisonOptions) {
    this.#options = options;
    this.steps = [
      { title: `start ${options.topologies.join(', ')}`, run: (note) => this.#boot(note) },
      ...options.scenarios.flatMap((name) => this.#scenarioSteps(name)),
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
    const stopped = await Promise.allSettled(
      this.#stops
        .splice(0)
        .toReversed()
        .map((stop) => stop()),
    );
    const failed = stopped.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  async #boot(note: (line: string) => void): Promise<void> {
    const { topologies, signal } = this.#options;
    const started = await startArms({ topologies, signal, note, onStop: (stop) => this.#stops.push(stop) });
    this.#arms = started.running;
    this.#absent = started.absent;
    if (this.#arms.length === 0) throw new Error('none of the topologies can run here');
    note(`${this.#arms.map(({ name }) => name).join(', ')} run`);
  }

  #scenarioSteps(name: ScenarioName): Step[] {
    const { rounds } = this.#options;
    const steps: Step[] = [{ title: `${name}: prepare`, run: (note) => this.#openScenario(name, note) }];
    for (let round = 1; round <= rounds; round += 1) {
      steps.push({ title: `${name}: round ${round} of ${rounds}`, run: (note) => this.#round(round, note) });
    }
    steps.push({ title: `${name}: repeat what had to be discarded`, run: (note) => this.#repeat(note) });
    // The audit joins whole tables: right after the scenario that wrote them they are in memory.
    if (name !== 'timeline') steps.push({ title: 'audit', run: (note) => this.#audit(note) });
    return steps;
  }

  async #openScenario(name: ScenarioName, note: (line: string) => void): Promise<void> {
    if (this.#open) await closeScenario(this.#open);
    this.#open = undefined;
    const { seed, scale, signal } = this.#options;
    const run = `c${randomBytes(3).toString('hex')}`;
    const startTimeMs = this.#startedAt.getTime();
    const options: ScenarioOptions = { seed, scale, signal, run, startTimeMs, progress: note };
    const missing = (arm: Arm) => (scenarios[name] as Scenario<ScenarioName>).missingOn?.(arm.topology);
    for (const arm of this.#arms) {
      const reason = missing(arm);
      if (reason !== undefined) this.#absent.push({ name: `${name} on ${arm.name}`, reason });
    }
    const arms = this.#arms.filter((arm) => missing(arm) === undefined);
    this.#open = await openScenario(name, arms, options);
  }

  async #round(round: number, note: (line: string) => void): Promise<void> {
    const arms = this.#arms.filter(({ name }) => this.#open!.sessions.has(name));
    for (const [at, arm] of orderOfRound(arms, round).entries()) {
      this.#options.signal.throwIfAborted();
      await this.#turn(arm, { round, position: at + 1 }, note);
    }
  }

  async #turn(arm: Arm, turn: { round: number; position: number }, note: (line: string) => void): Promise<Measurement> {
    note(`${arm.name} …`);
    const measurement = await measureOnce(this.#open!, arm, turn, this.#options.signal);
    this.#measurements.push(measurement);
    note(describeTurn(measurement));
    return measurement;
  }

  /** A turn that chance spoilt is repeated once, in the order of the rounds; what was discarded stays listed. */
  async #repeat(note: (line: string) => void): Promise<void> {
    this.#discardStorms();
    const name = this.#open!.name;
    const bad = this.#measurements.filter((entry) => entry.scenario === name && entry.verdict === 'DISCARDED');
    for (const { arm: armName, round, position } of bad) {
      this.#options.signal.throwIfAborted();
      const arm = this.#arms.find((entry) => entry.name === armName);
      const late = Date.now() - this.#startedAt.getTime() > (this.#options.repeatForMs ?? Number.POSITIVE_INFINITY);
      if (!arm || late || this.#repeats >= maxRepeats) continue;
      this.#repeats += 1;
      await this.#turn(arm, { round, position }, note);
    }
    if (bad.length === 0) note('nothing');
  }

  #discardStorms(): void {
    for (const [at, reason] of checkpointStorms(this.#measurements)) {
      const measurement = this.#measurements[at]!;
      if (measurement.reasons.includes(reason)) continue;
      measurement.verdict = 'DISCARDED';
      measurement.reasons.push(reason);
    }
  }

  async #audit(note: (line: string) => void): Promise<void> {
    // What the generator noted must be on disk before it is read.
    if (this.#open) await closeScenario(this.#open);
    this.#open = undefined;
    for (const { name, topology, system, recordFile } of this.#arms) {
      this.#options.signal.throwIfAborted();
      const startedAt = performance.now();
      const result = await auditRun({ dsn: system.dsn.admin, topology, recordFiles: [recordFile] });
      this.#audits.set(name, { result, seconds: (performance.now() - startedAt) / 1e3 });
      const checked = result.invariants.find(({ id }) => id === 'I2')?.checked ?? 0;
      note(`${name}: ${result.ok ? 'clean' : 'BROKEN'}, ${checked} acknowledged webhooks looked up`);
    }
  }

  async #describe(): Promise<void> {
    const { command, seed, rounds, scenarios, baseline } = this.#options;
    this.#discardStorms();
    const arms: ArmResult[] = [];
    for (const arm of this.#arms) arms.push(await this.#armResult(arm));
    const wanted = this.#options.control;
    const control = arms.some((arm) => arm.name === wanted) ? wanted : arms[0]!.name;
    const comparisons = compareToControl(this.#measurements, control, seed);
    const reasons = arms.flatMap((arm) => arm.reasons.map((reason) => `${arm.name}: ${reason}`));
    const verdict = reasons.length === 0 ? 'VALID' : 'DISCARDED';
    this.#document = {
      schemaVersion: 1,
      id: runId(this.#startedAt, scenarios.join('-')),
      command,
      startedAt: this.#startedAt.toISOString(),
      finishedAt: new Date().toISOString(),
      seed,
      rounds,
      control,
      scenarios: [...scenarios],
      environment: await describeEnvironment(),
      arms,
      absent: [...this.#absent, ...this.#notAskedFor()],
      measurements: this.#measurements,
      comparisons,
      baseline: baseline ? compareToBaseline(comparisons, baseline) : null,
      verdict,
      reasons,
      ...conclude({
        ...{ arms, comparisons, control, valid: verdict === 'VALID' },
        further: readsFindings(this.#measurements),
      }),
    };
  }

  async #armResult(arm: Arm): Promise<ArmResult> {
    const measurements = this.#measurements.filter((measurement) => measurement.arm === arm.name);
    const audit = this.#audits.get(arm.name);
    const summary = summarizeArm(measurements);
    const rate = summary['ingest.rate'];
    const reasons = judgeArm({ measurements, audit: audit?.result ?? null, rate, rounds: this.#options.rounds });
    return {
      name: arm.name,
      topology: arm.topology,
      ...(await inspectArm(arm)),
      verdict: reasons.length === 0 ? 'VALID' : 'DISCARDED',
      reasons,
      summary,
      audit: audit ? { ...audit.result, durationS: audit.seconds } : null,
    };
  }

  #notAskedFor(): { name: string; reason: string }[] {
    const { topologies, leftOut = 'not asked for' } = this.#options;
    const named = new Set<string>(topologies);
    return topologyNames.filter((name) => !named.has(name)).map((name) => ({ name, reason: leftOut }));
  }
}

function describeTurn(measurement: Measurement): string {
  const { arm, verdict, reasons } = measurement;
  if (verdict === 'DISCARDED') return `${arm}: DISCARDED, ${reasons.join('; ')}`;
  if (measurement.scenario === 'ingest' && measurement.data) {
    const { peak, half } = measurement.data;
    return `${arm}: ${Math.round(peak.rate)} webhooks/s, p99 ${half.latency.p99Ms.toFixed(1)} ms at half of that`;
  }
  return `${arm}: ${measurement.durationS.toFixed(1)} s`;
}
