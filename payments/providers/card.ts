import type { Breaker } from './breaker.ts';
import { type Charged, chargeOutcome, type Exchange, refundOutcome } from './exchange.ts';
import type { ChargeRequest, Outcome, PaymentProvider } from './provider.ts';

/** Authorises, and captures what is authorised; a payer may have to agree in between. */
export function cardProvider(exchange: Exchange, breaker: Breaker): PaymentProvider {
  async function capture(request: ChargeRequest, charged: Charged): Promise<Outcome> {
    if (charged.status !== 'authorised') return charged;
    const answer = await exchange.post('capture', `/authorisations/${request.key}/capture`, {});
    const outcome = chargeOutcome(request, answer);
    return outcome.status === 'authorised' ? { status: 'unknown', reason: 'authorised and not captured' } : outcome;
  }
  return {
    name: 'card',
    isAway: () => breaker.isAway(),
    async charge(request) {
      const { key, amountMinor, currency } = request;
      const answer = await exchange.post('authorise', '/authorisations', { key, amount_minor: amountMinor, currency });
      return capture(request, chargeOutcome(request, answer));
    },
    ask: async (request) =>
      capture(request, chargeOutcome(request, await exchange.get('ask', `/payments/${request.key}`))),
    cancel: async (request) =>
      capture(request, chargeOutcome(request, await exchange.post('cancel', `/payments/${request.key}/cancel`, {}))),
    async refund(request) {
      const { key, paymentKey, amountMinor } = request;
      const body = { key, payment_key: paymentKey, amount_minor: amountMinor };
      return refundOutcome(request, await exchange.post('refund', '/refunds', body));
    },
    askRefund: async (request) => refundOutcome(request, await exchange.get('ask_refund', `/refunds/${request.key}`)),
  };
}
