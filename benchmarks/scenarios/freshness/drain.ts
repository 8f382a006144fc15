import { setTimeout as delay } from 'node:timers/promises';

export interface Drain {
  /** Events that waited when the engine was started again. */
  backlog: number;
  /** From the start of the engine to the first event that became visible. */
  resumeMs: number;
  /** From that first event to the last. */
  drainMs: number;
  /** The backlog over the time of the drain. */
  eventsPerSecond: number;
  /** The backlog over the whole time, the engine's start included. */
  eventsPerSecondWithStart: number;
}

export interface DrainOptions {
  /** Events at the source. */
  source: number;
  /** Events that are visible now. */
  count(): Promise<number>;
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
  const { source, count, clock, pauseMs, timeoutMs, signal } = options;
  const before = await count();
  const backlog = source - before;
  const startedAt = clock();
  const deadline = startedAt + timeoutMs;
  const resumed = options.resume();
  resumed.catch(() => {});
  let last = before;
  let firstAt: number | undefined;
  for (;;) {
    const visible = await count();
    const at = clock();
    // The count before the first change is the last moment at which nothing had come.
    if (visible > last && firstAt === undefined) firstAt = Math.max(startedAt, at - pauseMs);
    last = visible;
    if (visible >= source) {
      await resumed;
      const first = firstAt ?? at;
      return summarize(backlog, first - startedAt, Math.max(1, at - first));
    }
    if (at > deadline) throw new Error(`${source - visible} of ${backlog} events had not come after ${timeoutMs} ms`);
    await delay(pauseMs, undefined, { signal });
  }
}

function summarize(backlog: number, resumeMs: number, drainMs: number): Drain {
  return {
    ...{ backlog, resumeMs: Math.round(resumeMs), drainMs: Math.round(drainMs) },
    eventsPerSecond: Math.round(backlog / (drainMs / 1e3)),
    eventsPerSecondWithStart: Math.round(backlog / ((resumeMs + drainMs) / 1e3)),
  };
}
