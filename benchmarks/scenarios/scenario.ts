import type { TopologyName } from '../../kernel/topology.ts';
import type { RunningSystem } from '../../runtime/native/system.ts';
import type { Measurement } from '../schema/run.ts';

/** One contender of a comparison: a running system and where its client's record goes. */
export interface Arm {
  name: string;
  topology: TopologyName;
  system: RunningSystem;
  /** JSON lines of what was acknowledged; the audit reads it. */
  recordFile: string;
}

export interface ScenarioOptions {
  seed: number;
  /** Begins every id that the workload makes; 1 to 16 small letters and digits. */
  run: string;
  /** Time of the workload's first event, in milliseconds since 1970: the same for every arm. */
  startTimeMs: number;
  /** Size of the data and length of the load relative to the quick comparison's. */
  scale: number;
  /** Ends a measurement that is under way. */
  signal: AbortSignal;
  progress: (line: string) => void;
}

/** pgbench is measured beside `ingest`, and is no question of its own. */
export type ScenarioName = Exclude<Measurement['scenario'], 'pgbench'>;
export type ScenarioData<Name extends ScenarioName> = NonNullable<Extract<Measurement, { scenario: Name }>['data']>;

/**
 * A question that is put to every arm by the same code. Adding a scenario takes one file with one of these, one line
 * in `registry.ts`, and the shape of its data in `benchmarks/schema`.
 */
export interface Scenario<Name extends ScenarioName> {
  name: Name;
  /** What it answers, in a sentence without a full stop. */
  question: string;
  /** Rough duration of one round of one arm at scale 1, in seconds: for the progress display. */
  roundSeconds: number;
  /** Why it can't be put to this topology; undefined where it can. Such an arm is left out of its rounds. */
  missingOn?(topology: TopologyName): string | undefined;
  /** Loads what the scenario needs. Called for each arm in turn before the first round. */
  open(arm: Arm, options: ScenarioOptions): Promise<ScenarioSession<ScenarioData<Name>>>;
}

/** A scenario on one arm, kept over the rounds. */
export interface ScenarioSession<Data> {
  /** One round. @throws Error when the arm failed; the round then counts as discarded. */
  measure(round: number): Promise<Data>;
  /** Why this round must not count; empty when it may. */
  judge(data: Data): string[];
  close(): Promise<void>;
}
