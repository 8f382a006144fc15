import type { OwnDocument } from './own-document.ts';
import type { RunDocument } from './run.ts';

/** What a benchmark leaves in `results/`. */
export type ResultDocument = RunDocument | OwnDocument;

/** Whether its arms are something else than topologies. */
export function isOwnDocument(document: ResultDocument): document is OwnDocument {
  return 'scenario' in document;
}

/** A figure that a scenario is meant to reach. */
export interface Target {
  what: string;
  target: string;
  measured: string;
  met: boolean;
}

/** The targets of its scenario that a run has missed; a run without targets misses none. */
export function missedTargets(document: ResultDocument): Target[] {
  const { target, targets } = document as { target?: Target; targets?: Target[] };
  return [...(target ? [target] : []), ...(targets ?? [])].filter(({ met }) => !met);
}
