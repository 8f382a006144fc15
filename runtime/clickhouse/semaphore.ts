export interface Semaphore {
  /** Resolves with the function that gives the slot back. @throws Error when too many wait already. */
  acquire(): Promise<() => void>;
  /** Resolves once no slot is taken and nobody waits. */
  idle(): Promise<void>;
}

/** Lets `slots` callers work at once and `maxWaiting` wait, first come first served. */
export function createSemaphore(slots: number, maxWaiting: number): Semaphore {
  let free = slots;
  const waiting: (() => void)[] = [];
  let onIdle: (() => void)[] = [];

  const release = () => {
    const next = waiting.shift();
    if (next) return next();
    free += 1;
    if (free < slots) return;
    for (const resolve of onIdle) resolve();
    onIdle = [];
  };
  const once = (done: () => void) => {
    let released = false;
    return () => {
      if (!released) done();
      released = true;
    };
  };
  return {
    acquire: async () => {
      if (free > 0) free -= 1;
      else if (waiting.length >= maxWaiting) throw new Error('too many wait');
      else await new Promise<void>((resolve) => waiting.push(resolve));
      return once(release);
    },
    idle: () => (free === slots ? Promise.resolve() : new Promise((resolve) => onIdle.push(resolve))),
  };
}
