import { type BenchRun, takeToEnd } from '../runner/run.ts';
import type { Engine, FreshnessDocument } from '../scenarios/freshness/document.ts';
import type { FreshnessPace } from '../scenarios/freshness/pace.ts';
import { createFreshnessRun, type FreshnessOptions } from '../scenarios/freshness/run.ts';
import type { RunDocument } from '../schema/run.ts';

export interface WithFreshnessOptions extends Pick<FreshnessOptions, 'topology' | 'seed' | 'signal' | 'command'> {
  pace: FreshnessPace;
  /** Engines that have not begun by then are left out, so that a run ends in time; in milliseconds since the start. */
  beginWithinMs: Readonly<Record<Engine, number>>;
}

/**
 * A comparison with the CDC engines behind it. They are arms of another kind than topologies, so they have their own
 * systems, which start after those of the comparison have been stopped, and a document within the run's.
 */
export function withFreshness(
  run: BenchRun<RunDocument>,
  { beginWithinMs, ...options }: WithFreshnessOptions,
): BenchRun<RunDocument> {
  const startedAt = performance.now();
  let freshness: FreshnessDocument | undefined;
  const leaveOut = (engine: Engine) => {
    const elapsedMs = performance.now() - startedAt;
    if (elapsedMs <= beginWithinMs[engine]) return undefined;
    return `${Math.round(elapsedMs / 1e3)} s had passed already; \`lab bench freshness\` measures it`;
  };
  return {
    steps: [
      ...run.steps,
      {
        title: 'freshness: the way to ClickHouse',
        run: async (note) => {
          await run.close();
          const engines = createFreshnessRun({ ...options, scale: 1, leaveOut });
          freshness = await takeToEnd(engines, note);
        },
      },
    ],
    document: () => addFreshness(run.document(), freshness),
    close: () => run.close(),
  };
}

/** The engines count as the arms do: one that does not count discards the run. */
export function addFreshness(document: RunDocument, freshness: FreshnessDocument | undefined): RunDocument {
  if (!freshness || freshness.engines.length === 0) return { ...document, freshness: freshness ?? null };
  const reasons = freshness.engines.flatMap(({ engine, reasons: own }) => own.map((reason) => `${engine}: ${reason}`));
  const valid = document.verdict === 'VALID' && reasons.length === 0;
  return {
    ...document,
    freshness,
    finishedAt: freshness.finishedAt,
    scenarios: [...document.scenarios, 'freshness'],
    findings: [...document.findings, ...freshness.engines.map(sentence)],
    verdict: valid ? 'VALID' : 'DISCARDED',
    reasons: [...document.reasons, ...reasons],
  };
}

function sentence({ engine, load, steady, drain }: FreshnessDocument['engines'][number]): string {
  const way = engine === 'native' ? 'native change data capture' : 'Debezium and Kafka';
  return (
    `By ${way} an accepted webhook is visible in ClickHouse after ${Math.round(steady.latency.p50Ms)} ms ` +
    `(p99 ${Math.round(steady.latency.p99Ms)} ms) at ${Math.round(load.rate)} a second; a backlog drains at ` +
    `${drain.eventsPerSecond.toLocaleString('en-US')} events a second.`
  );
}
