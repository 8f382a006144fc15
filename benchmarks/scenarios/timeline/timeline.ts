import { capabilities, controlTopology } from '../../../kernel/topology.ts';
import { metricColumn } from '../metric-column.ts';
import type { TopologyScenario } from '../scenario.ts';
import type { TimelineData } from './data.ts';
import { timelineConclusion, timelineFindings } from './findings.ts';
import { timelineTurn } from './metrics.ts';

export const timeline: TopologyScenario<TimelineData> = {
  name: 'timeline',
  question: 'what time-range queries over events cost, pruned and unpruned, cold and warm',
  topology: controlTopology,
  turn: timelineTurn,
  writes: false,
  inTour: true,
  missingOn: (topology) =>
    capabilities(topology).workers > 0
      ? 'its data set lies in databases of its own, which no cluster spreads out'
      : undefined,
  open: async (arm, options) => (await import('./rounds.ts')).openTimeline(arm, options),
  judge: ({ results }) => (results.some(({ rows }) => rows === 0) ? ['a query found no rows'] : []),
  table: {
    always: false,
    columns: [
      metricColumn('5 days cold, random', 'timeline/five days/random/cold/ms', 0, 'ms'),
      metricColumn('5 days cold, in order', 'timeline/five days/time/cold/ms', 0, 'ms'),
    ],
  },
  findings: timelineFindings,
  conclude: timelineConclusion,
  report: async () => (await import('./report.ts')).timelineReport,
};
