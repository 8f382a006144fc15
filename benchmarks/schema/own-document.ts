import type { Environment } from './environment.ts';

/** What every document of a scenario with arms of its own says, whatever it measured. */
export interface OwnDocument {
  schemaVersion: 1;
  id: string;
  /** Its name. */
  scenario: string;
  command: string;
  startedAt: string;
  finishedAt: string;
  seed: number;
  environment: Environment;
  verdict: 'VALID' | 'DISCARDED';
}
