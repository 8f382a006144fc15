import type { Measurement } from '../schema/turn.ts';
import type { Note, Part } from './part.ts';
import { Rounds } from './rounds.ts';

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

export interface RunPlan<Document> {
  startTitle: string;
  /** @param onStop is told how to stop each thing as soon as it runs, so that it is stopped whatever happens next. */
  start(note: Note, onStop: (stop: () => Promise<void>) => void): Promise<void>;
  parts: readonly Part[];
  describe(measurements: Measurement[]): Promise<Document>;
  signal: AbortSignal;
  /** After this long no discarded round is repeated any more. */
  repeatForMs?: number | undefined;
}

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

class Run<Document> implements BenchRun<Document> {
  readonly steps: Step[];
  readonly #plan: RunPlan<Document>;
  readonly #startedAt = performance.now();
  readonly #stops: (() => Promise<void>)[] = [];
  readonly #rounds: Rounds;
  #part: Part | undefined;
  #document: Document | undefined;

  constructor(plan: RunPlan<Document>) {
    this.#plan = plan;
    const { signal, repeatForMs = Number.POSITIVE_INFINITY } = plan;
    this.#rounds = new Rounds(signal, () => performance.now() - this.#startedAt <= repeatForMs);
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
      steps.push({ title: `${name}: round ${round} of ${rounds}`, run: (note) => this.#rounds.round(round, note) });
    }
    if (part.repeats) {
      steps.push({ title: `${name}: repeat what had to be discarded`, run: (note) => this.#rounds.repeat(note) });
    }
    // The audit joins whole tables: right after the scenario that wrote them they are in memory.
    if (audit) steps.push({ title: 'audit', run: (note) => this.#closePart().then(() => part.audit?.(note)) });
    return steps;
  }

  async #openPart(part: Part, note: Note): Promise<void> {
    await this.#closePart();
    this.#part = part;
    this.#rounds.open(part, await part.open(note));
  }

  async #closePart(): Promise<void> {
    const part = this.#part;
    this.#part = undefined;
    if (part) this.#rounds.discardTogether();
    await part?.close();
  }

  async #describe(): Promise<void> {
    this.#document = await this.#plan.describe(this.#rounds.measurements);
  }
}
