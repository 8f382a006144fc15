import { bulkhead } from 'cockatiel';

/** Lets so many queries run at once and so many wait, first come first served. */
export interface QuerySlots {
  /** @throws BulkheadRejectedError when too many wait already; what the query throws. */
  run<T>(query: () => Promise<T>): Promise<T>;
  /** Resolves once no query runs or waits. */
  idle(): Promise<void>;
}

export function createQuerySlots(maxQueries: number, maxQueue: number): QuerySlots {
  const slots = bulkhead(maxQueries, maxQueue);
  const underWay = new Set<Promise<unknown>>();
  return {
    run: async (query) => {
      const done = slots.execute(query);
      underWay.add(done);
      try {
        return await done;
      } finally {
        underWay.delete(done);
      }
    },
    idle: async () => {
      await Promise.allSettled(underWay);
    },
  };
}
