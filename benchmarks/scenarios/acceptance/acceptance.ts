import { controlTopology } from '../../../kernel/topology.ts';
import type { OwnArmsScenario } from '../scenario.ts';
import { type AcceptanceDocument, acceptanceDocument } from './document.ts';
import { summarizeAcceptance } from './summary.ts';

export const acceptance: OwnArmsScenario<AcceptanceDocument> = {
  name: 'acceptance',
  question: 'how many webhooks a second kafka mode accepts, against sync mode',
  arms: 'kafka and sync mode',
  topology: controlTopology,
  hasRounds: true,
  title: 'What kafka mode accepts, against sync mode',
  document: acceptanceDocument,
  createRun: async (options) => (await import('./run.ts')).createAcceptanceRun(options),
  summarize: summarizeAcceptance,
};
