import type { Engine, EngineState, EngineStatus } from '../engine.ts';
import type { Sink } from '../sink.ts';

/** The least advanced first: what the whole is, while its parts differ. */
const states: readonly EngineState[] = ['stopped', 'waiting', 'starting', 'loading', 'streaming'];

/**
 * One engine for each worker of a cluster, seen as one. It works until the signal aborts; the first engine that gives
 * up ends the others, since what it would have brought is missing.
 */
export function combineEngines(engines: readonly Engine[]): Engine {
  return {
    async run(signal) {
      const failed = new AbortController();
      const either = AbortSignal.any([signal, failed.signal]);
      const runs = engines.map((engine) =>
        engine.run(either).catch((error) => {
          failed.abort(error);
          throw error;
        }),
      );
      await Promise.allSettled(runs);
      await Promise.all(runs);
    },
    status: () => worst(engines.map((engine) => engine.status())),
  };
}

function worst(all: readonly EngineStatus[]): EngineStatus {
  const state = states.find((one) => all.some((status) => status.state === one)) ?? 'stopped';
  const numbers = (values: (number | undefined)[]) => values.filter((value) => value !== undefined);
  const oldest = numbers(all.map((status) => status.oldestPendingMs));
  const lags = numbers(all.map((status) => status.lagBytes));
  const furthestBehind = all.toSorted((a, b) => (b.lagBytes ?? 0) - (a.lagBytes ?? 0))[0];
  return {
    state,
    oldestPendingMs: oldest.length > 0 ? Math.min(...oldest) : undefined,
    lagBytes: lags.length > 0 ? Math.max(...lags) : undefined,
    walStatus: furthestBehind?.walStatus,
    confirmedLsn: furthestBehind?.confirmedLsn,
  };
}

/**
 * A sink that takes one batch at a time. Two at once could rebuild the same minute of the roll-ups side by side, and
 * the one that saw less could be the last.
 */
export function oneAtATime(sink: Sink): Sink {
  let last: Promise<unknown> = Promise.resolve();
  return {
    write(batch, token, signal) {
      const next = last
        .catch(() => {})
        .then(() => {
          signal?.throwIfAborted();
          return sink.write(batch, token, signal);
        });
      last = next;
      return next;
    },
    close: () => sink.close(),
  };
}
