import type { LoadPhase } from '../scenarios/ingest/data.ts';
import { readsMetrics } from '../scenarios/reads/judge.ts';
import type { Measurement } from '../schema/run.ts';

export interface Metric {
  /** As in `ingest.rate`; timeline's are `timeline/<query>/<order>/<cache>/<what>`. */
  name: string;
  label: string;
  unit: string;
  better: 'higher' | 'lower';
}

/** What the table of a comparison shows for `ingest`, in this order. */
export const ingestMetrics = [
  { name: 'ingest.rate', label: 'webhooks/s at p99 ≤ 100 ms', unit: '/s', better: 'higher' },
  { name: 'ingest.halfP50Ms', label: 'p50 at half rate', unit: 'ms', better: 'lower' },
  { name: 'ingest.halfP99Ms', label: 'p99 at half rate', unit: 'ms', better: 'lower' },
  { name: 'ingest.cpuUs', label: 'CPU per webhook', unit: 'µs', better: 'lower' },
  { name: 'ingest.walBytes', label: 'WAL per webhook', unit: 'B', better: 'lower' },
  { name: 'ingest.diskBytes', label: 'disk per webhook', unit: 'B', better: 'lower' },
] as const satisfies readonly Metric[];

/** The measured system's components; the generator's CPU is reported beside them and never counted as theirs. */
export const systemComponents = ['api', 'postgres', 'replica'] as const;

/** The numbers of one measurement by metric; empty for one without data. */
export function metricsOf(measurement: Measurement): Record<string, number> {
  if (!measurement.data) return {};
  if (measurement.scenario === 'pgbench') {
    // Under the names of what the lab's rates are held against: with its best rate pgbench is the harder of rivals.
    const { rate } = measurement.data;
    return { 'ingest.rate': rate, 'ingest.saturationRate': rate };
  }
  if (measurement.scenario === 'ingest') {
    const { peak, half, saturation, diskGrowthBytes, attempts } = measurement.data;
    return {
      'ingest.rate': peak.rate,
      'ingest.halfP50Ms': half.latency.p50Ms,
      'ingest.halfP99Ms': half.latency.p99Ms,
      'ingest.cpuUs': cpuUsPerWebhook(peak),
      'ingest.walBytes': peak.walBytes / Math.max(peak.acknowledged, 1),
      'ingest.diskBytes': diskGrowthBytes / Math.max(1, measurement.data.acknowledged),
      'ingest.saturationRate': saturation.rate,
      'ingest.holds': attempts.length,
    };
  }
  if (measurement.scenario === 'reads') return readsMetrics(measurement.data);
  return Object.fromEntries(
    measurement.data.results.flatMap((result) => {
      const name = `timeline/${result.query}/${result.order}/${result.cache}`;
      return [
        [`${name}/ms`, result.executionMs + result.planningMs],
        [`${name}/pages`, result.pagesHit + result.pagesRead],
      ];
    }),
  );
}

/** CPU time of the whole measured system for one acknowledged webhook, in microseconds. */
function cpuUsPerWebhook(phase: LoadPhase): number {
  const seconds = systemComponents.reduce((sum, name) => sum + (phase.cpuSeconds[name] ?? 0), 0);
  return (seconds * 1e6) / Math.max(phase.acknowledged, 1);
}
