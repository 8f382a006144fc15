import { setTimeout as delay } from 'node:timers/promises';

export interface Drain {
  /** Events that waited when the engine was started again. */
  backlog: number;
  /** From the start of the engine to the first event that became visible. */
  resumeMs: number;
  /** From that first event to the last. */
  drainMs: number;
  /** What came after the first visible events, over its time; the rate with the start where all came at once. */
  eventsPerSecond: number;
  /** The backlog over the whole time, the engine's start included. */
  eventsPerSecondWithStart: number;
}

export interface DrainOptions {
  /** Events at the source. */
  source: number;
  /** Rows that are visible now, copies of an event included; asked all the time, so it must cost next to nothing. */
  countRows(): Promise<number>;
  /** Events that are visible now, each once. */
  countEvents(): Promise<number>;
  /** Starts the engine again. */
  resume(): Promise<void>;
  /** Monotonic, in milliseconds. */
  clock: () => number;
  pauseMs: number;
  timeoutMs: number;
  signal: AbortSignal;
}

/** Starts the engine on its backlog and watches it come. @throws Error when it is not through in time. */
export async function measureDrain(options: DrainOptions): Promise<Drain> {
  const { source, countRows, countEvents, clock, pauseMs, timeoutMs, signal } = options;
  const before = await countEvents();
  const rowsBefore = await countRows();
  const backlog = source - before;
  const startedAt = clock();
  const deadline = startedAt + timeoutMs;
  const resumed = options.resume();
  resumed.catch(() => {});
  let first: { atMs: number; visible: number } | undefined;
  for (;;) {
    const rows = (await countRows()) - rowsBefore;
    const atMs = clock();
    if (rows > 0) first ??= { atMs, visible: before + Math.min(rows, backlog) };
    // Copies are rows, too: only the exact count, which reads every id, can tell that all is there.
    const visible = rows >= backlog ? await countEvents() : before + rows;
    if (visible >= source) {
      await resumed;
      return summarize({ backlog, startedAt, first: first ?? { atMs, visible }, source, endedAt: atMs });
    }
    if (atMs > deadline) throw new Error(`${source - visible} of ${backlog} events had not come after ${timeoutMs} ms`);
    await delay(pauseMs, undefined, { signal });
  }
}

interface Seen {
  backlog: number;
  startedAt: number;
  /** When something had come for the first time, and how much was there by then. */
  first: { atMs: number; visible: number };
  source: number;
  endedAt: number;
}

/** What came with the first batch was worked off before a look could see it, so it does not count as speed. */
function summarize({ backlog, startedAt, first, source, endedAt }: Seen): Drain {
  const wholeMs = Math.max(1, endedAt - startedAt);
  const drainMs = endedAt - first.atMs;
  const afterFirst = source - first.visible;
  const withStart = Math.round(backlog / (wholeMs / 1e3));
  return {
    backlog,
    resumeMs: Math.round(first.atMs - startedAt),
    drainMs: Math.round(drainMs),
    eventsPerSecond: afterFirst > 0 ? Math.round(afterFirst / (drainMs / 1e3)) : withStart,
    eventsPerSecondWithStart: withStart,
  };
}
