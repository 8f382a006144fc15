import type { LoadPhase } from '../../schema/load-phase.ts';
import type { TurnKind } from '../../schema/turn.ts';
import type { Metric } from '../scenario.ts';
import { type IngestData, ingestData } from './data.ts';

/** The highest rate that kept the objective. */
export const ingestRate = 'ingest.rate';
/** As fast as a closed loop can go. */
export const saturationRate = 'ingest.saturationRate';

/** What the table of a comparison shows for `ingest`, in this order. */
export const ingestMetrics = [
  { name: ingestRate, label: 'webhooks/s at p99 ≤ 100 ms', unit: '/s', better: 'higher' },
  { name: 'ingest.halfP50Ms', label: 'p50 at half rate', unit: 'ms', better: 'lower' },
  { name: 'ingest.halfP99Ms', label: 'p99 at half rate', unit: 'ms', better: 'lower' },
  { name: 'ingest.cpuUs', label: 'CPU per webhook', unit: 'µs', better: 'lower' },
  { name: 'ingest.walBytes', label: 'WAL per webhook', unit: 'B', better: 'lower' },
  { name: 'ingest.diskBytes', label: 'disk per webhook', unit: 'B', better: 'lower' },
] as const satisfies readonly Metric[];

export const ingestTurn: TurnKind<IngestData> = {
  name: 'ingest',
  data: ingestData,
  metrics: ({ peak, half, saturation, diskGrowthBytes, attempts, acknowledged }) => ({
    [ingestRate]: peak.rate,
    'ingest.halfP50Ms': half.latency.p50Ms,
    'ingest.halfP99Ms': half.latency.p99Ms,
    'ingest.cpuUs': cpuUsPerWebhook(peak),
    'ingest.walBytes': peak.walBytes / Math.max(peak.acknowledged, 1),
    'ingest.diskBytes': diskGrowthBytes / Math.max(1, acknowledged),
    [saturationRate]: saturation.rate,
    'ingest.holds': attempts.length,
  }),
};

/** The measured system's components; the generator's CPU is reported beside them and never counted as theirs. */
export const systemComponents = ['api', 'postgres', 'replica'] as const;

/** CPU time of the whole measured system for one acknowledged webhook, in microseconds. */
function cpuUsPerWebhook(phase: LoadPhase): number {
  const seconds = systemComponents.reduce((sum, name) => sum + (phase.cpuSeconds[name] ?? 0), 0);
  return (seconds * 1e6) / Math.max(phase.acknowledged, 1);
}
