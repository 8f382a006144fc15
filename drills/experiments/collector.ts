import type { Sink } from '../../stream/sink.ts';

/** A sink that remembers which events came, how often, and whether each aggregate's came in order. */
export interface Collector {
  sink: Sink;
  /** Event id → deliveries. */
  deliveries: Map<string, number>;
  /** First deliveries that came after one with a higher sequence of the same aggregate. */
  outOfOrder: number;
}

export function createCollector(): Collector {
  const newest = new Map<string, bigint>();
  const collector: Collector = {
    deliveries: new Map(),
    outOfOrder: 0,
    sink: {
      write: async (batch) => {
        for (const { envelope } of batch) {
          const before = collector.deliveries.get(envelope.event_id) ?? 0;
          collector.deliveries.set(envelope.event_id, before + 1);
          if (before > 0) continue;
          const aggregate = `${envelope.aggregate_type} ${envelope.aggregate_id}`;
          const sequence = BigInt(envelope.sequence);
          const last = newest.get(aggregate) ?? 0n;
          if (sequence < last) collector.outOfOrder += 1;
          else newest.set(aggregate, sequence);
        }
      },
      close: async () => {},
    },
  };
  return collector;
}
