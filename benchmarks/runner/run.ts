import type { Measurement } from '../schema/turn.ts';

/** Shows what is going on right now. */
export type Note = (line: string) => void;

/** One stretch of work that a progress display shows as a line. */
export interface Step {
  title: string;
  run(note: Note): Promise<void>;
}

/** A benchmark from its first server's start to its document. */
export interface BenchRun<Document> {
  /** To be run in this order. Whatever happens, `close` has to be called afterwards. */
  steps: Step[];
  /** The result, once every step has run. */
  document(): Document;
  close(): Promise<void>;
}

export interface Place {
  round: number;
  /** Of the arm in its round, from 1. */
  position: number;
}

/** An arm that is ready for its turns. */
export interface ReadyArm {
  name: string;
  /**
   * @returns undefined when the arm is left out.
   * @throws Error when the whole run has to end. A turn that only must not count says so in its verdict.
   */
  turn(place: Place, note: Note): Promise<Measurement | undefined>;
}

/** A scenario within a run: prepared, put to its arms in interleaved rounds, audited. */
export interface Part {
  /** Of the scenario. */
  name: string;
  /** Of the step that prepares; `<name>: prepare` unless told otherwise. */
  prepareTitle?: string;
  rounds: number;
  open(note: Note): Promise<readonly ReadyArm[]>;
  /** Why turns must not count beside those of the other arms, by position in `measurements`. */
  judgeTogether?(measurements: readonly Measurement[]): Map<number, string>;
  /** Whether a turn that had to be discarded is repeated. */
  repeats?: boolean;
  /** After `close`, so that all that clients noted is on disk. */
  audit?(note: Note): Promise<void>;
  close(): Promise<void>;
}

export interface RunPlan<Document> {
  startTitle: string;
  /** @param onStop is told how to stop each thing as soon as it runs, so that it is stopped whatever happens next. */
  start(note: Note, onStop: (stop: () => Promise<void>) => void): Promise<void>;
  parts: readonly Part[];
  describe(measurements: Measurement[]): Promise<Document>;
  signal: AbortSignal;
  /** After this long no discarded turn is repeated any more. */
  repeatForMs?: number | undefined;
}

/** Turns that are repeated in the whole run because they had to be discarded. They stay in the document. */
const maxRepeats = 4;

/** The run of a plan: start, interleaved rounds and audit of each part, the document. */
export function createRun<Document>(plan: RunPlan<Document>): BenchRun<Document> {
  return new Run(plan);
}

/** Takes a run to its end without a display of its steps, and closes it. */
export async function takeToEnd<Document>(run: BenchRun<Document>, note: Note): Promise<Document> {
  try {
    for (const step of run.steps) await step.run(note);
    return run.document();
  } finally {
    await run.close();
  }
}

/** The arms in the order of a round: each round begins with another one, so that none always follows the same. */
export function orderOfRound<T>(arms: readonly T[], round: number): T[] {
  const first = (round - 1) % Math.max(arms.length, 1);
  return [...arms.slice(first), ...arms.slice(0, first)];
}

class Run<Document> implements BenchRun<Document> {
  readonly steps: Step[];
  readonly #plan: RunPlan<Document>;
  readonly #startedAt = performance.now();
  readonly #stops: (() => Promise<void>)[] = [];
  readonly #measurements: Measurement[] = [];
  #part: Part | undefined;
  #arms: readonly ReadyArm[] = [];
  #repeats = 0;
  #document: Document | undefined;

  constructor(plan: RunPlan<Document>) {
    this.#plan = plan;
    this.steps = [
      { title: plan.startTitle, run: (note) => plan.start(note, (stop) => this.#stops.push(stop)) },
      ...plan.parts.flatMap((part) => this.#stepsOf(part)),
      { title: 'judge and describe', run: () => this.#describe() },
    ];
  }

  document(): Document {
    if (!this.#document) throw new Error('the run has not come to its end');
    return this.#document;
  }

  async close(): Promise<void> {
    await this.#closePart();
    const stops = this.#stops.splice(0).toReversed();
    const stopped = await Promise.allSettled(stops.map((stop) => stop()));
    const failed = stopped.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  #stepsOf(part: Part): Step[] {
    const { name, rounds, audit } = part;
    const steps = [{ title: part.prepareTitle ?? `${name}: prepare`, run: (note: Note) => this.#openPart(part, note) }];
    for (let round = 1; round <= rounds; round += 1) {
      steps.push({ title: `${name}: round ${round} of ${rounds}`, run: (note) => this.#round(round, note) });
    }
    if (part.repeats) {
      steps.push({ title: `${name}: repeat what had to be discarded`, run: (note) => this.#repeat(part, note) });
    }
    // The audit joins whole tables: right after the scenario that wrote them they are in memory.
    if (audit) steps.push({ title: 'audit', run: (note) => this.#closePart().then(() => part.audit?.(note)) });
    return steps;
  }

  async #openPart(part: Part, note: Note): Promise<void> {
    await this.#closePart();
    this.#part = part;
    this.#arms = await part.open(note);
  }

  async #closePart(): Promise<void> {
    const part = this.#part;
    this.#part = undefined;
    await part?.close();
  }

  async #round(round: number, note: Note): Promise<void> {
    for (const [at, arm] of orderOfRound(this.#arms, round).entries()) {
      this.#plan.signal.throwIfAborted();
      await this.#turn(arm, { round, position: at + 1 }, note);
    }
  }

  async #turn(arm: ReadyArm, place: Place, note: Note): Promise<void> {
    note(`${arm.name} …`);
    const measurement = await arm.turn(place, note);
    if (measurement) this.#measurements.push(measurement);
  }

  /** A turn that chance spoilt is repeated once, in the order of the rounds; what was discarded stays listed. */
  async #repeat(part: Part, note: Note): Promise<void> {
    this.#discardTogether();
    const discarded = this.#measurements.filter(
      ({ scenario, verdict }) => scenario === part.name && verdict === 'DISCARDED',
    );
    for (const { arm: name, round, position } of discarded) {
      this.#plan.signal.throwIfAborted();
      const arm = this.#arms.find((entry) => entry.name === name);
      const late = performance.now() - this.#startedAt > (this.#plan.repeatForMs ?? Number.POSITIVE_INFINITY);
      if (!arm || late || this.#repeats >= maxRepeats) continue;
      this.#repeats += 1;
      await this.#turn(arm, { round, position }, note);
    }
    if (discarded.length === 0) note('nothing');
  }

  #discardTogether(): void {
    for (const { judgeTogether } of this.#plan.parts) {
      for (const [at, reason] of judgeTogether?.(this.#measurements) ?? []) {
        const measurement = this.#measurements[at]!;
        if (measurement.reasons.includes(reason)) continue;
        measurement.verdict = 'DISCARDED';
        measurement.reasons.push(reason);
      }
    }
  }

  async #describe(): Promise<void> {
    this.#discardTogether();
    this.#document = await this.#plan.describe(this.#measurements);
  }
}
