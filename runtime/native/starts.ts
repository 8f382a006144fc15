/** Several parts that start side by side, of which one that fails ends the rest. */
export interface Starts {
  /** Aborted when the caller's signal is, or when a part has failed: every start has to look at it. */
  readonly signal: AbortSignal;
  /** Begins to start a part. The start of another part may await the promise; it need not be awaited at all. */
  run<T>(start: () => Promise<T>): Promise<T>;
  /** As `run` for a part that the system has, and undefined for one that it has not. */
  runIf<T>(wanted: boolean, start: () => Promise<T>): Promise<T | undefined>;
  /**
   * Resolves when every part has started. When one failed, it waits for the others to notice, so that nothing is
   * started any more after it. @throws the first failure.
   */
  all(): Promise<void>;
}

export function createStarts(given?: AbortSignal): Starts {
  const stop = new AbortController();
  const signal = given ? AbortSignal.any([given, stop.signal]) : stop.signal;
  const started: Promise<unknown>[] = [];
  const run = <T>(start: () => Promise<T>): Promise<T> => {
    const part = (async () => {
      signal.throwIfAborted();
      return start();
    })();
    // The first failure becomes the signal's reason, whatever the others say about being stopped.
    part.catch((error) => stop.abort(error));
    started.push(part);
    return part;
  };
  return {
    signal,
    run,
    runIf: (wanted, start) => (wanted ? run(start) : Promise.resolve(undefined)),
    all: async () => {
      await Promise.allSettled(started);
      signal.throwIfAborted();
    },
  };
}
