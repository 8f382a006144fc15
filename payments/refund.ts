import { uuidv7 } from '../kernel/uuid.ts';
import type { CommandRow } from '../ledger/payments/rows.ts';
import type { WorkDeps } from './deps.ts';
import { retryLater, waitForProvider } from './retry.ts';

/** Gives money back through the provider that took it. From the second attempt on the provider is asked first. */
export async function refund(deps: WorkDeps, command: CommandRow): Promise<string> {
  const { store, providers, now } = deps;
  const { command_id: refundId, payment_id } = command;
  const state = await store.find(deps.pool, payment_id);
  const row = state?.refunds.find(({ refund_id }) => refund_id === refundId);
  if (!state || !row) throw new Error(`there is no refund ${refundId}`);
  const provider = providers[state.payment.charged_by!];
  const request = {
    key: refundId,
    paymentKey: payment_id,
    amountMinor: row.amount_minor,
    currency: row.currency,
  };
  const asked = command.attempts > 1 ? await provider.askRefund(request) : undefined;
  const outcome = asked && asked.status !== 'absent' ? asked : await provider.refund(request);
  switch (outcome.status) {
    case 'completed': {
      const transferId = uuidv7(now().getTime());
      const { reference } = outcome;
      await store.change(payment_id, { type: 'complete_refund', refundId, reference, transferId }, command);
      return 'completed';
    }
    case 'declined':
      await store.change(payment_id, { type: 'fail_refund', refundId, reason: outcome.reason }, command);
      return 'declined';
    case 'away':
      return waitForProvider(deps, command);
    default:
      return retryLater(deps, command, outcome.status === 'unknown' ? outcome.reason : outcome.status);
  }
}
