import { defaultTopology } from '../../../kernel/topology.ts';
import type { OwnArmsScenario } from '../scenario.ts';
import { type FreshnessDocument, freshnessDocument } from './document.ts';
import { thorough } from './pace.ts';
import { summarizeFreshness } from './summary.ts';

export const freshness: OwnArmsScenario<FreshnessDocument> = {
  name: 'freshness',
  question: 'how long an accepted webhook takes to be visible in ClickHouse, and how fast a backlog drains',
  arms: 'both CDC engines',
  topology: defaultTopology,
  hasRounds: false,
  title: 'Accepted → visible in ClickHouse, and backlog drain, of both CDC engines',
  document: freshnessDocument,
  createRun: async (options) => {
    const { createFreshnessRun } = await import('./run.ts');
    return createFreshnessRun({ ...options, pace: thorough, needsOne: true });
  },
  summarize: summarizeFreshness,
  report: async () => (await import('./report.ts')).freshnessReport,
};
