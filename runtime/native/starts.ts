/** Several parts that start side by side, of which one that fails ends the rest. */
export interface Starts {
  /** Aborted when the caller's signal is, or when a part has failed: whoever starts something has to look at it. */
  readonly signal: AbortSignal;
  /** Begins to start a part. The promise may be awaited by the start of another part, and by nobody. */
  run<T>(start: () => Promise<T>): Promise<T>;
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
  return {
    signal,
    run: (start) => {
      const part = (async () => {
        signal.throwIfAborted();
        return start();
      })();
      // The first failure becomes the signal's reason, whatever the others say about being stopped.
      part.catch((error) => stop.abort(error));
      started.push(part);
      return part;
    },
    all: async () => {
      await Promise.allSettled(started);
      signal.throwIfAborted();
    },
  };
}
