import type { EngineFreshness } from './document.ts';

const windowMs = 500;

/** Samples by the window in which they were acknowledged: how the lag went while the load ran. */
export function lagOverTime(
  samples: readonly { acknowledgedAtMs: number; latencyMs: number }[],
  startMs: number,
): EngineFreshness['steady']['lag'] {
  const windows = Map.groupBy(samples, ({ acknowledgedAtMs }) => Math.floor((acknowledgedAtMs - startMs) / windowMs));
  return [...windows]
    .toSorted(([a], [b]) => a - b)
    .map(([window, own]) => {
      const sorted = own.map(({ latencyMs }) => latencyMs).toSorted((a, b) => a - b);
      const round = (value: number) => Math.round(value * 10) / 10;
      return {
        atS: ((window + 0.5) * windowMs) / 1e3,
        samples: own.length,
        p50Ms: round(sorted[Math.floor(own.length / 2)]!),
        maxMs: round(sorted.at(-1)!),
      };
    });
}
