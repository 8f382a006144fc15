import path from 'node:path';
import type { ProcessDescription } from '../system-description.ts';
import { logTail } from './log-tail.ts';
import type { Part } from './part.ts';

/** So many ends within the window, and a part stays down: it would only die again. */
const mostEnds = 5;
const windowMs = 60_000;
/** Pause before a part is started again after its first, second, … end within the window. */
const pausesMs = [0, 500, 1_000, 2_000] as const;
/** Processes are our children: a look costs no system call. */
const lookEveryMs = 50;
/** Of the log of a part that stays down. */
const shownLogLines = 8;

export interface WatchOptions {
  runDirectory: string;
  /** The parts as they are now: a conversion and a promotion change them. */
  parts: () => readonly Part[];
  /** Whether a part that died is started again. Without, its end is only reported. */
  restarts: boolean;
  /** After the state of a part has changed. */
  onChange: () => Promise<void>;
  progress: (line: string) => void;
  /** Monotonic, in milliseconds. */
  clock: () => number;
  /** Resolves after so many milliseconds, and at once when the signal aborts. */
  pause: (ms: number, signal: AbortSignal) => Promise<void>;
}

interface PartRecord {
  state: 'running' | 'restarting' | 'down';
  restarts: number;
  /** Of the last minute, oldest first. */
  ends: { atMs: number; how: string }[];
  /** Of the log, as it was when the part was given up. */
  log: string;
  /** The process whose end has been dealt with. */
  handledPid: number | undefined;
}

/**
 * Looks after the parts of a system: starts one that died again, in its place and with its state, after pauses that
 * grow. One that has died five times within a minute stays down until an operator restarts it.
 */
export class PartWatch {
  readonly #options: WatchOptions;
  readonly #records = new Map<string, PartRecord>();
  readonly #closing = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), lookEveryMs);
  }

  /** Starts nothing again from now on. */
  close(): void {
    this.#closing.abort();
    clearInterval(this.#timer);
  }

  /** @throws Error when it does not start, with the end of its log. */
  async restart(name: string): Promise<void> {
    const part = this.#partCalled(name);
    // What it did before is forgiven: the operator has looked at it.
    this.#records.delete(name);
    this.#options.progress(`restarting ${name}`);
    await part.restart();
  }

  /** It stays stopped until it is restarted. */
  async stop(name: string): Promise<void> {
    const part = this.#partCalled(name);
    this.#options.progress(`stopping ${name}`);
    await part.stop();
  }

  describe(part: Part): ProcessDescription {
    const { name, pid } = part;
    const record = this.#records.get(name);
    const restarts = record?.restarts ?? 0;
    if (part.isStopped) return { name, pid, state: 'stopped', restarts };
    // A process that is not the one whose end was noted was started by another caller.
    if (!record || record.state === 'running' || record.handledPid !== pid) {
      return { name, pid, state: 'running', restarts };
    }
    const { state, ends, log } = record;
    return { name, pid, state, restarts, ends: ends.map(({ how }) => how), log };
  }

  #partCalled(name: string): Part {
    const parts = this.#options.parts();
    const part = parts.find((one) => one.name === name);
    if (part) return part;
    throw new Error(`there is no part ${name}. Choose one of ${parts.map((one) => one.name).join(', ')}.`);
  }

  #look(): void {
    for (const part of this.#options.parts()) {
      const record = this.#records.get(part.name);
      if (part.unexpectedEnd === undefined || record?.state === 'restarting') continue;
      if (record?.handledPid === part.pid) continue;
      void this.#recover(part, part.unexpectedEnd).catch((error) => this.#options.progress(String(error)));
    }
  }

  async #recover(part: Part, firstEnd: string): Promise<void> {
    const { progress, restarts, runDirectory } = this.#options;
    const { name } = part;
    const record = this.#recordOf(name);
    let how: string | undefined = firstEnd;
    while (how !== undefined) {
      record.handledPid = part.pid;
      record.state = 'restarting';
      this.#noteEnd(record, how);
      if (!restarts || this.#isGivenUp(part, record)) {
        const logFile = path.join(runDirectory, `${name}.log`);
        record.log = await logTail(logFile, shownLogLines);
        record.state = 'down';
        progress(`${name} (${part.pid}) has ended: ${how}; ${restarts ? 'it stays down; ' : ''}its log: ${logFile}`);
        return this.#changed();
      }
      progress(`${name} (${part.pid}) has ended: ${how}; it is started again`);
      await this.#changed();
      how = await this.#startAgain(part, record);
    }
    record.state = 'running';
    await this.#changed();
  }

  /** @returns how the new process ended, or undefined: it runs, or something else has been done about it meanwhile. */
  async #startAgain(part: Part, record: PartRecord): Promise<string | undefined> {
    await this.#options.pause(pausesMs[Math.min(record.ends.length, pausesMs.length) - 1]!, this.#closing.signal);
    if (this.#closing.signal.aborted || part.unexpectedEnd === undefined) return undefined;
    try {
      await part.restart();
      record.restarts += 1;
      record.handledPid = undefined;
      return undefined;
    } catch (error) {
      if (this.#closing.signal.aborted || part.isStopped) return undefined;
      return firstLine(error);
    }
  }

  async #changed(): Promise<void> {
    // Once the system is stopped its directory is on its way out.
    if (!this.#closing.signal.aborted) await this.#options.onChange();
  }

  #noteEnd(record: PartRecord, how: string): void {
    const atMs = this.#options.clock();
    record.ends = record.ends.filter((end) => atMs - end.atMs < windowMs);
    record.ends.push({ atMs, how });
  }

  #isGivenUp(part: Part, { ends }: PartRecord): boolean {
    return ends.length >= mostEnds || (part.finalEnd !== undefined && ends.at(-1)!.how.includes(part.finalEnd));
  }

  #recordOf(name: string): PartRecord {
    const known = this.#records.get(name);
    if (known) return known;
    const record: PartRecord = { state: 'running', restarts: 0, ends: [], log: '', handledPid: undefined };
    this.#records.set(name, record);
    return record;
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!;
}
