import { z } from 'zod';
import { loadPhase } from '../../schema/load-phase.ts';
import { ownDocument } from '../../schema/own-document.ts';
import { ratioFields } from '../../schema/ratio.ts';

const ratio = z.strictObject(ratioFields);

export const modes = ['sync', 'kafka'] as const;
export type Mode = (typeof modes)[number];

/** Kafka mode is two arms: its consumers at work meanwhile, or stopped until the load has ended. */
export const armNames = ['sync', 'kafka', 'kafka-burst'] as const;
export type ArmName = (typeof armNames)[number];

export const acceptanceRound = z.strictObject({
  round: z.int(),
  position: z.int(),
  load: loadPhase,
  drainMs: z.int().meta({ description: 'from the last answer until PostgreSQL had everything' }),
  drained: z.boolean(),
});

/** What was accepted in one way, over the rounds. */
const acceptanceArm = z.strictObject({
  name: z.enum(armNames),
  description: z.string(),
  medianRate: z.number().meta({ description: 'webhooks a second answered with 2xx' }),
  cpuUs: z
    .record(z.string(), z.number())
    .meta({ description: 'CPU microseconds per accepted webhook by component, over all rounds; generator included' }),
  rounds: z.array(acceptanceRound),
});

/** The document of `lab bench acceptance`. */
export const acceptanceDocument = z.strictObject({
  ...ownDocument,
  scenario: z.literal('acceptance'),
  connections: z.int(),
  arms: z.array(acceptanceArm),
  ratios: z.strictObject({
    concurrent: ratio.meta({ description: 'kafka over sync, the consumers at work on the same cores' }),
    burst: ratio.meta({ description: 'kafka over sync, the consumers stopped until the load has ended' }),
  }),
  idleBrokerCores: z.number().meta({ description: 'what the broker takes of the cores while another arm is measured' }),
  audits: z.array(
    z.strictObject({
      mode: z.enum(modes),
      ok: z.boolean(),
      acknowledged: z.int().meta({ description: 'acknowledged webhooks that were looked up in the database' }),
      counted: z
        .int()
        .optional()
        .meta({ description: 'acknowledged webhooks as the client counted them; absent in older results' }),
      broken: z.array(z.string()),
    }),
  ),
  target: z.strictObject({ what: z.string(), target: z.string(), measured: z.string(), met: z.boolean() }),
  reasons: z.array(z.string()),
});

export type AcceptanceArm = z.infer<typeof acceptanceArm>;
export type AcceptanceDocument = z.infer<typeof acceptanceDocument>;
