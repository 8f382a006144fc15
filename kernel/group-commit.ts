import { AppError } from './http/errors.ts';

export interface GroupCommitOptions<Item, Result> {
  /** Applies a batch at once; results stand in the order of the items. What it throws fails all of them. */
  apply: (batch: Item[]) => Promise<Result[]>;
  /** Most items of one batch. */
  maxBatch: number;
  /** Items that may wait; further ones are refused at once, so that a slow store does not become a full memory. */
  maxQueue: number;
  onBatch?: (size: number, durationMs: number) => void;
}

export interface GroupCommit<Item, Result> {
  /** Resolves when the item's batch has been applied. @throws AppError rate_limited when the queue is full. */
  add(item: Item): Promise<Result>;
  readonly length: number;
  /** Resolves when nothing waits and nothing runs. */
  idle(): Promise<void>;
}

/**
 * Group commit: items that arrive while the previous transaction runs form the next batch, so that the cost of a
 * COMMIT is shared under load and nothing waits for company when idle.
 */
export function createGroupCommit<Item, Result>(options: GroupCommitOptions<Item, Result>): GroupCommit<Item, Result> {
  type Waiting = { item: Item; resolve: (result: Result) => void; reject: (error: unknown) => void };
  let queue: Waiting[] = [];
  let running: Promise<void> | undefined;

  async function applyBatch(batch: Waiting[]): Promise<() => void> {
    const started = performance.now();
    const ended = () => options.onBatch?.(batch.length, performance.now() - started);
    try {
      const results = await options.apply(batch.map((entry) => entry.item));
      ended();
      return () => {
        for (const [index, entry] of batch.entries()) entry.resolve(results[index]!);
      };
    } catch (error) {
      ended();
      return () => {
        for (const entry of batch) entry.reject(error);
      };
    }
  }

  async function run(): Promise<void> {
    // One turn of the event loop lets requests that were read together travel together.
    await new Promise((resolve) => setImmediate(resolve));
    while (queue.length > 0) {
      const batch = queue.slice(0, options.maxBatch);
      queue = queue.slice(options.maxBatch);
      const answer = await applyBatch(batch);
      // The server gets its next batch first and works on it while this one is answered.
      if (queue.length > 0) setImmediate(answer);
      else answer();
    }
    running = undefined;
  }

  return {
    add(item) {
      if (queue.length >= options.maxQueue) {
        return Promise.reject(tooManyWaiting());
      }
      return new Promise((resolve, reject) => {
        queue.push({ item, resolve, reject });
        running ??= run();
      });
    },
    get length() {
      return queue.length;
    },
    async idle() {
      while (running) await running;
    },
  };
}

/** Refuses a webhook that would have to wait behind too many. */
export function tooManyWaiting(): AppError {
  return new AppError('rate_limited', 'Too many webhooks are waiting. Repeat this one later.', {
    retryAfterSeconds: 1,
  });
}

/** Adds a batch that the caller has formed. What fails is a result too. */
export function addAll<Item, Result>(
  groupCommit: GroupCommit<Item, Result>,
  items: readonly Item[],
): Promise<(Result | { error: unknown })[]> {
  return Promise.all(items.map((item) => groupCommit.add(item).catch((error: unknown) => ({ error }))));
}
