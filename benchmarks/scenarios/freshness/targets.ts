import type { EngineFreshness, FreshnessDocument } from './document.ts';

const p99LimitMs = { native: 1_000, debezium: 3_000 } as const;
const drainRatioTarget = 5;

/** What was promised beside what was measured. A target that was missed is no reason to discard a run. */
export function judgeTargets(
  engines: readonly Pick<EngineFreshness, 'engine' | 'steady' | 'drain'>[],
): FreshnessDocument['targets'] {
  const targets = engines.map(({ engine, steady }) => ({
    what: `freshness p99 at half of the highest ingest rate, ${engine}`,
    target: `≤ ${p99LimitMs[engine]} ms`,
    measured: `${Math.round(steady.latency.p99Ms)} ms`,
    met: steady.latency.p99Ms <= p99LimitMs[engine],
  }));
  const rate = (name: string) => engines.find(({ engine }) => engine === name)?.drain.eventsPerSecond;
  const [native, debezium] = [rate('native'), rate('debezium')];
  if (native === undefined || debezium === undefined) return targets;
  const ratio = native / debezium;
  return [
    ...targets,
    {
      what: 'backlog drain, native over Debezium and Kafka',
      target: `≥ ${drainRatioTarget} ×`,
      measured: `${ratio.toFixed(1)} × (${native} against ${debezium} events a second)`,
      met: ratio >= drainRatioTarget,
    },
  ];
}
