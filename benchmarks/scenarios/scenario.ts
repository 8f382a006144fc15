import type { z } from 'zod';
import type { Html } from '../../kernel/html.ts';
import type { TopologyName } from '../../kernel/topology.ts';
import type { RunningSystem } from '../../runtime/native/system.ts';
import type { Section, View } from '../report/view.ts';
import type { BenchRun } from '../runner/run.ts';
import type { OwnDocument } from '../schema/own-document.ts';
import type { ArmResult, Comparison, RunDocument } from '../schema/run.ts';
import type { Measurement, TurnKind } from '../schema/turn.ts';

/**
 * A question that is put to several arms by the same code. Adding one takes a folder with one of these and its line in
 * `registry.ts`: comparison, report, schema and command line take everything else from here. It says what it is and
 * loads how it measures when that is asked for: the help of a command needs its name and no PostgreSQL client.
 */
export type Scenario = TopologyScenario | OwnArmsScenario;

interface Described {
  readonly name: string;
  /** What it answers, in a sentence without a full stop. */
  readonly question: string;
  /** Where `lab bench` runs it unless told otherwise. */
  readonly topology: TopologyName;
  /** How the HTML report shows it; loaded when a report is written, since charts take their time to load. */
  report?(): Promise<ScenarioReport>;
}

/** Its arms are topologies, so that several of these can share the systems of one comparison. */
export interface TopologyScenario<Data = unknown> extends Described {
  readonly turn: TurnKind<Data>;
  /** Tools that can stand beside the topologies as one more arm, by the word for `--against`. */
  readonly beside?: Readonly<Record<string, ToolBeside>>;
  /** Whether turns write to the arm's database: it is then vacuumed after each turn and audited after the rounds. */
  readonly writes: boolean;
  /** Whether it belongs to what `lab compare` and the tour measure unless told otherwise. */
  readonly inTour: boolean;
  /** Why it can't be put to this topology; undefined where it can. Such an arm is left out of its rounds. */
  missingOn?(topology: TopologyName): string | undefined;
  /** Loads what the scenario needs. Called for each arm before the first round. */
  open(arm: Arm, options: ScenarioOptions): Promise<ScenarioSession<Data>>;
  /** Why a turn with this data must not count; empty when it may. A stored result is judged by it again. */
  judge(data: Data): string[];
  /** A turn in a few words, for the progress display. */
  describeTurn?(data: Data): string;
  /** Why turns must not count beside those of the other arms, by position in `measurements`. */
  judgeTogether?(measurements: readonly Measurement[]): Map<number, string>;
  /** The rounds of an arm must not lie too far apart in this metric. */
  readonly steadyMetric?: string;
  /** Rows of the report's table, in this order; a baseline is held against them. */
  readonly metrics?: readonly Metric[];
  readonly table?: TableColumns;
  /** What the numbers say, one sentence each. */
  findings?(evidence: Evidence): string[];
  /** The result in one sentence, where this scenario has the last word on it. */
  conclude?(evidence: Evidence): string | undefined;
}

/** Its arms are something else, so it starts systems of its own and leaves a document of its own. */
export interface OwnArmsScenario<Document extends OwnDocument = OwnDocument> extends Described {
  /** What its arms are, in words. */
  readonly arms: string;
  /** Whether it has more rounds than one. */
  readonly hasRounds: boolean;
  /** Title of the page in docs/results. */
  readonly title: string;
  readonly document: z.ZodType<Document>;
  createRun(options: BenchOptions): Promise<BenchRun<Document>>;
  /** What a reader gets to see in a terminal. */
  summarize(document: Document): TextSummary;
}

/** A tool that can have its turns beside those of a scenario. */
export interface ToolBeside {
  /** Shape of its turns. */
  readonly turn: TurnKind;
  /** What it needs, in a sentence. */
  readonly requirement: string;
  worksOn(topology: TopologyName): boolean;
}

/** A running system of one topology, and where its client's record goes. */
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

/** A scenario on one arm, kept over the rounds. */
export interface ScenarioSession<Data> {
  /** One round. @throws Error when the arm failed; the round then counts as discarded. */
  measure(round: number): Promise<Data>;
  /**
   * Webhooks that the client counted as acknowledged so far, each once and those of the warm-up too, where the scenario
   * sends any. The audit has to have looked up as many.
   */
  acknowledged?(): number;
  close(): Promise<void>;
}

/** What `lab bench` was asked for. */
export interface BenchOptions {
  /** As the user typed it, for the document. */
  command: string;
  topology: TopologyName;
  rounds: number;
  seed: number;
  scale: number;
  signal: AbortSignal;
}

/** A number that is compared. */
export interface Metric {
  /** As in `ingest.rate`; timeline's are `timeline/<query>/<order>/<cache>/<what>`. */
  name: string;
  label: string;
  unit: string;
  better: 'higher' | 'lower';
}

/** Columns of the table in a terminal. */
export interface TableColumns {
  /** Whether they stand in every table, with a dash where the run did not measure them. */
  readonly always: boolean;
  readonly columns: readonly { head: string; cell(arm: ArmResult, document: RunDocument): string }[];
}

/** What a scenario may draw its sentences from. */
export interface Evidence {
  arms: readonly ArmResult[];
  comparisons: readonly Comparison[];
  control: string;
  measurements: readonly Measurement[];
}

/** A table and lines below it. */
export interface TextSummary {
  head: string[];
  rows: (string | number)[][];
  lines: string[];
}

/** What a scenario adds to the HTML report. */
export interface ScenarioReport {
  /** Each is empty where the run has nothing of it. */
  readonly sections: readonly Section[];
  /** An arm in short, for the head of the page. */
  card?(view: View, arm: View['arms'][number]): Html | undefined;
  /** What is folded away among plans and statements. */
  folded?(view: View): Html[];
  /** The body of a report of its own document; a table of the summary unless told otherwise. */
  own?(document: OwnDocument): Html;
}
