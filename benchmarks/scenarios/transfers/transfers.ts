import { controlTopology } from '../../../kernel/topology.ts';
import type { OwnArmsScenario } from '../scenario.ts';
import { type TransfersDocument, transfersDocument } from './document.ts';
import { summarizeTransfers } from './summary.ts';

export const transfers: OwnArmsScenario<TransfersDocument> = {
  name: 'transfers',
  question: 'how many transfers a second each strategy for hot accounts makes, against pgbench',
  arms: 'row_lock, batched, deltas and pgbench',
  topology: controlTopology,
  hasRounds: true,
  title: 'Transfers between hot accounts, against pgbench',
  document: transfersDocument,
  createRun: async (options) => (await import('./run.ts')).createTransfersRun(options),
  summarize: summarizeTransfers,
};
