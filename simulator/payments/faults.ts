import { z } from 'zod';
import { faultSettings, faultsOf } from '../provider/faults.ts';

const milliseconds = z.number().int().min(0).max(600_000);
const share = z.number().min(0).max(1);

/** The knobs of PUT /card/faults and /wallet/faults. What is left out is switched off. */
export const paymentFaultSettings = faultSettings.extend({
  /** Share of card payments for which the payer is asked to agree first; a wallet always asks. */
  challenge_rate: share.default(0),
  /** When the payer agrees, counted from the request. */
  payer_ms: milliseconds.default(0),
  /** Share of payers who never do. */
  abandon_rate: share.default(0),
  /** Share of answers that are sent twice on one connection. */
  answer_twice_rate: share.default(0),
  /** The wallet's confirmations: how late they come, how often, and which share of them never does. */
  confirmation_ms: milliseconds.default(0),
  confirmations: z.number().int().min(1).max(10).default(1),
  lost_confirmation_rate: share.default(0),
  /** Whether the settlement file leaves out a movement, has another one twice and a third with another amount. */
  false_settlement: z.boolean().default(false),
});
export type PaymentFaultSettings = z.infer<typeof paymentFaultSettings>;

export const createPaymentFaults = (seed: number) => faultsOf(seed, paymentFaultSettings.parse({}));
export type PaymentFaults = ReturnType<typeof createPaymentFaults>;
