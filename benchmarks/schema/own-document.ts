import { z } from 'zod';
import { topologyNames } from '../../kernel/topology.ts';
import { digest } from './digest.ts';
import { environment } from './environment.ts';
import { verdict } from './turn.ts';

/** What every document of a scenario with arms of its own says, whatever it measured. */
export const ownDocument = {
  schemaVersion: z.literal(1),
  id: z.string(),
  command: z.string(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  seed: z.int(),
  topology: z.enum(topologyNames),
  environment,
  verdict,
  digest,
};

export interface OwnDocument extends z.infer<z.ZodObject<typeof ownDocument>> {
  /** Its name. */
  scenario: string;
}
