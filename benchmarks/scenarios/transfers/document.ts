import { z } from 'zod';
import { transferForms, transferShapes } from '../../pgbench/transfers.ts';
import { loadPhase } from '../../schema/load-phase.ts';
import { ownDocument } from '../../schema/own-document.ts';
import { ratioFields } from '../../schema/ratio.ts';

export const strategies = ['row_lock', 'batched', 'deltas'] as const;
export type Strategy = (typeof strategies)[number];

/** The API in each strategy, and pgbench. */
export const armNames = [...strategies, 'pgbench'] as const;
export type ArmName = (typeof armNames)[number];

const shape = z.enum(transferShapes);

const strategyTurn = z.strictObject({
  phases: z.array(
    z.strictObject({
      shape,
      rate: z.number().meta({ description: 'transfers a second, over the time until the last leg was posted' }),
      load: loadPhase,
      foldMs: z.number().meta({ description: 'from the last answer until no leg waited any more' }),
    }),
  ),
});

const pgbenchTurn = z.strictObject({
  runs: z.array(
    z.strictObject({
      form: z.enum(transferForms).meta({ description: 'statement by statement, one statement, or pgbench’s own' }),
      shape: shape.nullable(),
      clients: z.int(),
      rate: z.number(),
      latencyMs: z.number(),
    }),
  ),
});

export const transfersTurnData = z.union([strategyTurn, pgbenchTurn]);
export type StrategyTurn = z.infer<typeof strategyTurn>;
export type PgbenchTurn = z.infer<typeof pgbenchTurn>;

const place = { round: z.int(), position: z.int() };
const target = z.strictObject({ what: z.string(), target: z.string(), measured: z.string(), met: z.boolean() });

/** The document of `lab bench transfers`. */
export const transfersDocument = z.strictObject({
  ...ownDocument,
  scenario: z.literal('transfers'),
  clients: z.int(),
  accounts: z.int().meta({ description: 'payers, and as many payees' }),
  strategies: z.array(z.strictObject({ name: z.enum(strategies), rounds: z.array(strategyTurn.extend(place)) })),
  pgbench: z.strictObject({ version: z.string(), rounds: z.array(pgbenchTurn.extend(place)) }),
  ratios: z.array(
    z.strictObject({
      strategy: z.enum(strategies),
      shape,
      against: z.enum(transferForms),
      ...ratioFields,
    }),
  ),
  audits: z.array(
    z.strictObject({
      strategy: z.enum(strategies),
      transfers: z.int().meta({ description: 'acknowledged transfers; the ledger has as many' }),
      ok: z.boolean(),
      broken: z.array(z.string()),
    }),
  ),
  targets: z.array(target),
  reasons: z.array(z.string()),
});

export type TransfersDocument = z.infer<typeof transfersDocument>;
