import { controlTopology } from '../../../kernel/topology.ts';
import { pgbenchBeside } from '../../pgbench/turn.ts';
import type { TopologyScenario } from '../scenario.ts';
import { checkpointStorms } from './checkpoint-storms.ts';
import type { IngestData } from './data.ts';
import { ingestFindings } from './findings.ts';
import { judgeIngest } from './judge.ts';
import { ingestMetrics, ingestRate, ingestTurn } from './metrics.ts';
import { ingestTable } from './table.ts';

export const ingest: TopologyScenario<IngestData> = {
  name: 'ingest',
  question: 'how many signed webhooks a second the system takes at p99 ≤ 100 ms, and what each costs',
  topology: controlTopology,
  turn: ingestTurn,
  beside: { pgbench: pgbenchBeside },
  writes: true,
  inTour: true,
  open: async (arm, options) => (await import('./rounds.ts')).openIngest(arm, options),
  judge: judgeIngest,
  describeTurn: ({ peak, half }) =>
    `${Math.round(peak.rate)} webhooks/s, p99 ${half.latency.p99Ms.toFixed(1)} ms at half of that`,
  judgeTogether: checkpointStorms,
  steadyMetric: ingestRate,
  metrics: ingestMetrics,
  table: ingestTable,
  findings: ingestFindings,
  report: async () => (await import('./report.ts')).ingestReport,
};
