import type { OwnDocument } from './own-document.ts';
import type { RunDocument } from './run.ts';

/** What a benchmark leaves in `results/`. */
export type ResultDocument = RunDocument | OwnDocument;

/** Whether its arms are something else than topologies. */
export function isOwnDocument(document: ResultDocument): document is OwnDocument {
  return 'scenario' in document;
}
