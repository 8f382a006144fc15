import { randomBytes } from 'node:crypto';
import { auditRun } from '../../audit/audit.ts';
import { type TopologyName, topologyNames } from '../../kernel/topology.ts';
import { describeEnvironment, loadAverageNow } from '../measure/environment.ts';
import type { Earlier } from '../results/history.ts';
import type { Note, Part, ReadyArm } from '../runner/part.ts';
import { type BenchRun, createRun } from '../runner/run.ts';
import { runId } from '../runner/run-id.ts';
import type { Arm, TopologyScenario } from '../scenarios/scenario.ts';
import type { Environment } from '../schema/environment.ts';
import type { ArmResult, Comparison, RunDocument } from '../schema/run.ts';
import type { Measurement } from '../schema/turn.ts';
import { type Arms, inspectArm, startArms } from './arms.ts';
import { compareToBaseline } from './baseline.ts';
import { type Conclusion, conclude } from './conclusion.ts';
import { againName, compareToItself, withFloors } from './same-arm.ts';
import { compareToControl, fewestRounds, summarizeArm } from './summary.ts';
import { type OpenScenario, openScenario } from './turns.ts';
import { type ArmEvidence, judgeArm } from './verdict.ts';

export interface ComparisonOptions {
  /** As the user typed it, for the document. */
  command: string;
  topologies: readonly TopologyName[];
  /** The arm that the others are compared to; the first one when it can't run here. */
  control: TopologyName;
  scenarios: readonly TopologyScenario[];
  rounds: number;
  seed: number;
  scale: number;
  signal: AbortSignal;
  baseline?: RunDocument | undefined;
  /** Why the topologies that are not named are left out; that the user did not ask for them unless told otherwise. */
  leftOut?: string;
  /** After this long no discarded turn is repeated any more. */
  repeatForMs?: number;
  /** What earlier runs on this machine showed of the control against itself. */
  earlier?: Earlier | undefined;
  /** A tool as one more arm. It is then the control, and what chance spoilt is not repeated. */
  tool?: ToolArm;
}

/** A tool that has its turns beside those of the only topology. */
export interface ToolArm {
  name: string;
  /** Title of the step in which it is prepared. */
  prepareTitle: string;
  prepare(arm: Arm, note: Note): Promise<ReadyArm>;
  description(): string;
  conclude(arms: readonly ArmResult[], comparisons: readonly Comparison[]): Conclusion;
}

/** Topologies in interleaved rounds of each scenario, audited. */
export function createComparison(options: ComparisonOptions): BenchRun<RunDocument> {
  const comparison = new TopologyComparison(options);
  return createRun({
    startTitle: `start ${options.topologies.join(', ')}`,
    start: (note, onStop) => comparison.start(note, onStop),
    parts: options.scenarios.map((scenario) => comparison.partOf(scenario)),
    describe: (measurements) => comparison.describe(measurements),
    signal: options.signal,
    repeatForMs: options.repeatForMs,
  });
}

class TopologyComparison {
  readonly #options: ComparisonOptions;
  readonly #startedAt = new Date();
  readonly #audits = new Map<string, ArmResult['audit']>();
  /** Why an audit came to no end, by arm. */
  readonly #auditFailures = new Map<string, string>();
  /** Webhooks that clients counted as acknowledged, by arm. */
  readonly #acknowledged = new Map<string, number>();
  #environment: Environment | undefined;
  #arms: Arm[] = [];
  #absent: Arms['absent'] = [];

  constructor(options: ComparisonOptions) {
    this.#options = options;
  }

  async start(note: Note, onStop: (stop: () => Promise<void>) => void): Promise<void> {
    const { topologies, signal } = this.#options;
    this.#environment = await describeEnvironment();
    const { running, absent } = await startArms({ topologies, signal, note, onStop });
    this.#arms = running;
    this.#absent = absent;
    if (running.length === 0) throw new Error('none of the topologies can run here');
    note(`${running.map(({ name }) => name).join(', ')} run`);
  }

  partOf(scenario: TopologyScenario): Part {
    const { rounds, tool } = this.#options;
    let open: OpenScenario | undefined;
    const part: Part = {
      name: scenario.name,
      kind: scenario.turn.name,
      rounds,
      repeats: tool === undefined,
      open: async (note) => {
        open = await this.#open(scenario, note);
        return tool ? [...open.arms, await tool.prepare(this.#arms[0]!, note)] : open.arms;
      },
      close: async () => {
        await open?.close();
        for (const [arm, count] of open?.acknowledged() ?? []) {
          this.#acknowledged.set(arm, (this.#acknowledged.get(arm) ?? 0) + count);
        }
        open = undefined;
      },
    };
    if (tool) part.prepareTitle = tool.prepareTitle;
    if (scenario.judgeTogether) part.judgeTogether = (measurements) => scenario.judgeTogether!(measurements);
    if (scenario.writes) part.audit = (note) => this.#audit(note);
    return part;
  }

  async #open(scenario: TopologyScenario, note: Note): Promise<OpenScenario> {
    const { seed, scale, signal } = this.#options;
    const arms: Arm[] = [];
    for (const arm of this.#arms) {
      const reason = scenario.missingOn?.(arm.topology);
      if (reason === undefined) arms.push(arm);
      else this.#absent.push({ name: `${scenario.name} on ${arm.name}`, reason });
    }
    const sizes = { seed, scale, signal, run: `c${randomBytes(3).toString('hex')}` };
    const session = { ...sizes, startTimeMs: this.#startedAt.getTime(), progress: note };
    return openScenario(scenario, arms, session, arms.length > 1 ? this.#control() : undefined);
  }

  async #audit(note: Note): Promise<void> {
    for (const arm of this.#arms) {
      this.#options.signal.throwIfAborted();
      // A database that is gone must not end the run without its document.
      await this.#auditArm(arm, note).catch((error) => {
        this.#auditFailures.set(
          arm.name,
          `audit: it came to no end: ${error instanceof Error ? error.message : error}`,
        );
      });
    }
  }

  async #auditArm({ name, topology, system, recordFile }: Arm, note: Note): Promise<void> {
    const startedAt = performance.now();
    const result = await auditRun({ dsn: system.dsn.admin, topology, recordFiles: [recordFile] });
    this.#audits.set(name, { ...result, durationS: (performance.now() - startedAt) / 1e3 });
    const checked = result.invariants.find(({ id }) => id === 'I2')?.checked ?? 0;
    note(`${name}: ${result.ok ? 'clean' : 'BROKEN'}, ${checked} acknowledged webhooks looked up`);
  }

  async describe(measurements: Measurement[]): Promise<RunDocument> {
    const { command, seed, rounds, scenarios, baseline, tool } = this.#options;
    const arms = await this.#describeArms(measurements);
    const control = tool?.name ?? this.#control();
    const { own, sameArm, comparisons } = this.#compare(measurements, control);
    const reasons = arms.flatMap((arm) => arm.reasons.map((reason) => `${arm.name}: ${reason}`));
    if (sameArm) {
      const evidence = { measurements: turnsOfArm(measurements, sameArm.arm), audit: null, audited: false, rounds };
      const ofAgain = judgeArm({ ...evidence, summary: summarizeArm(evidence.measurements) });
      reasons.push(...ofAgain.map((reason) => `${sameArm.arm}: ${reason}`));
    }
    if (arms.length > 1 && rounds < fewestRounds) {
      reasons.push(`${rounds} rounds compare nothing: take ${fewestRounds} at least (--rounds)`);
    }
    const valid = reasons.length === 0;
    const names = scenarios.map(({ name }) => name);
    return {
      schemaVersion: 1,
      id: runId(this.#startedAt, (tool ? [...names, tool.name] : names).join('-')),
      command,
      startedAt: this.#startedAt.toISOString(),
      finishedAt: new Date().toISOString(),
      seed,
      rounds,
      control,
      scenarios: names,
      environment: { ...this.#environment!, loadAverageAfter: loadAverageNow() },
      arms,
      absent: tool ? [] : [...this.#absent, ...this.#notAskedFor()],
      measurements,
      comparisons,
      sameArm,
      baseline: baseline ? compareToBaseline(comparisons, baseline) : null,
      verdict: valid ? 'VALID' : 'DISCARDED',
      reasons,
      ...(tool?.conclude(arms, comparisons) ??
        conclude({ arms, comparisons, control, measurements: own, reasons, sameArm })),
    };
  }

  /** The arm that the others are compared to. */
  #control(): string {
    const { control } = this.#options;
    return this.#arms.some(({ name }) => name === control) ? control : this.#arms[0]!.name;
  }

  /** The control's second turns stand beside the comparison and not in it. */
  #compare(measurements: readonly Measurement[], control: string) {
    const again = againName(control);
    const own = measurements.filter(({ arm }) => arm !== again);
    const { earlier = { runs: 0, spread: {} } } = this.#options;
    const sameArm = own.length < measurements.length ? compareToItself(measurements, control, earlier) : null;
    return { own, sameArm, comparisons: withFloors(compareToControl(own, control), sameArm) };
  }

  async #describeArms(measurements: readonly Measurement[]): Promise<ArmResult[]> {
    const { tool } = this.#options;
    const arms: ArmResult[] = [];
    for (const arm of this.#arms) {
      const { name, topology } = arm;
      const audit = this.#audits.get(name) ?? null;
      const inspection = await inspectArm(arm);
      // On the same server, in another database.
      if (tool) {
        const described = { name: tool.name, topology: null, description: tool.description(), topStatements: [] };
        const judged = this.#judge(tool.name, measurements, { audit: null, audited: false });
        arms.push({ ...inspection, ...described, audit: null, ...judged });
      }
      const acknowledged = this.#acknowledged.get(name) ?? 0;
      const audited = this.#options.scenarios.some(({ writes }) => writes);
      const auditFailure = this.#auditFailures.get(name);
      const judged = this.#judge(name, measurements, { audit, audited, auditFailure, acknowledged });
      arms.push({ name, topology, ...inspection, audit, acknowledged, ...judged });
    }
    return arms;
  }

  #judge(
    name: string,
    all: readonly Measurement[],
    audit: Pick<ArmEvidence, 'audit' | 'audited' | 'auditFailure' | 'acknowledged'>,
  ): Pick<ArmResult, 'summary' | 'reasons' | 'verdict'> {
    const measurements = turnsOfArm(all, name);
    const summary = summarizeArm(measurements);
    const reasons = judgeArm({ ...audit, measurements, summary, rounds: this.#options.rounds });
    return { summary, reasons, verdict: reasons.length === 0 ? 'VALID' : 'DISCARDED' };
  }

  #notAskedFor(): Arms['absent'] {
    const { topologies, leftOut = 'not asked for' } = this.#options;
    const named = new Set<string>(topologies);
    return topologyNames.filter((name) => !named.has(name)).map((name) => ({ name, reason: leftOut }));
  }
}

function turnsOfArm(measurements: readonly Measurement[], name: string): Measurement[] {
  return measurements.filter(({ arm }) => arm === name);
}
