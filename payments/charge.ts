import type { PaymentProviderName } from '../kernel/contract/status.ts';
import { uuidv7 } from '../kernel/uuid.ts';
import type { CommandRow, PaymentRow, PaymentState } from '../ledger/payments/rows.ts';
import type { WorkDeps } from './deps.ts';
import type { ChargeRequest, Outcome, PaymentProvider } from './providers/provider.ts';
import { retryLater, waitForProvider } from './retry.ts';

/**
 * Takes one step towards the end of a payment. That a provider was chosen is committed before it is asked, and never
 * changed: what was sent may arrive later, and no other provider may then have charged as well. Once something may have
 * been sent, the provider is asked before anything is sent again.
 * @returns what became of the command.
 */
export async function charge(deps: WorkDeps, command: CommandRow): Promise<string> {
  const found = await deps.store.find(deps.pool, command.payment_id);
  if (!found) throw new Error(`there is no payment ${command.payment_id}`);
  const isNew = found.payment.status === 'pending';
  const begun = isNew ? await begin(deps, command, found) : found;
  if (typeof begun === 'string') return begun;
  const { payment } = begun;
  const provider = deps.providers[payment.charged_by!];
  const outcome = await learn(provider, requestOf(payment), { isNew, isExpired: isExpired(deps, payment) });
  return settle(deps, command, payment, outcome);
}

function requestOf({ payment_id, amount_minor, currency }: PaymentRow): ChargeRequest {
  return { key: payment_id, amountMinor: amount_minor, currency };
}

function isExpired({ now }: WorkDeps, { expires_at }: PaymentRow): boolean {
  return expires_at.getTime() <= now().getTime();
}

/** @returns the payment with its provider, or what became of the command where it was not begun. */
async function begin(deps: WorkDeps, command: CommandRow, state: PaymentState): Promise<PaymentState | string> {
  const { payment } = state;
  if (isExpired(deps, payment)) {
    await deps.store.change(payment.payment_id, { type: 'fail', reason: 'expired' }, command);
    return 'expired';
  }
  const provider = choose(deps, payment);
  if (!provider) return waitForProvider(deps, command);
  return deps.store.change(payment.payment_id, { type: 'begin', provider }, command);
}

/** The provider that was asked for; another one while that one is away and the caller lets it. */
function choose({ providers }: WorkDeps, { provider, failover }: PaymentRow): PaymentProviderName | undefined {
  if (!providers[provider].isAway()) return provider;
  if (!failover) return undefined;
  return Object.values(providers).find((other) => other.name !== provider && !other.isAway())?.name;
}

async function learn(
  provider: PaymentProvider,
  request: ChargeRequest,
  { isNew, isExpired: expired }: { isNew: boolean; isExpired: boolean },
): Promise<Outcome> {
  const asked: Outcome = isNew ? { status: 'absent' } : await provider.ask(request);
  if (expired && (asked.status === 'absent' || asked.status === 'waits_for_payer')) return provider.cancel(request);
  return asked.status === 'absent' ? provider.charge(request) : asked;
}

async function settle(deps: WorkDeps, command: CommandRow, payment: PaymentRow, outcome: Outcome): Promise<string> {
  const { store, now, random, askMs } = deps;
  const { payment_id } = payment;
  switch (outcome.status) {
    case 'completed': {
      const { reference } = outcome;
      await store.change(payment_id, { type: 'complete', reference, transferId: uuidv7(now().getTime()) }, command);
      return 'completed';
    }
    case 'declined':
      await store.change(payment_id, { type: 'fail', reason: outcome.reason }, command);
      return 'declined';
    case 'canceled':
      await store.change(payment_id, { type: 'fail', reason: 'expired' }, command);
      return 'expired';
    case 'waits_for_payer': {
      await store.change(payment_id, { type: 'wait_for_payer', actionUrl: outcome.actionUrl }, command);
      const leftMs = Math.max(0, payment.expires_at.getTime() - now().getTime());
      const afterMs = Math.min(askMs * (1 + random() / 2), leftMs);
      await store.postpone(command, { afterMs, attempts: 0, error: null });
      return 'waits_for_payer';
    }
    case 'away':
      return waitForProvider(deps, command);
    case 'absent':
      return retryLater(deps, command, 'the provider did not take the request');
    case 'unknown':
      return retryLater(deps, command, outcome.reason);
  }
}
