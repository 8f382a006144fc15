import type { Breaker } from './breaker.ts';
import { type Charged, chargeOutcome, type Exchange, refundOutcome } from './exchange.ts';
import type { Outcome, PaymentProvider } from './provider.ts';

/** Sends the payer to a page, and tells by a webhook when it was paid: until then there is nothing to do but to ask. */
export function walletProvider(exchange: Exchange, breaker: Breaker, callbackUrl: () => string): PaymentProvider {
  return {
    name: 'wallet',
    isAway: () => breaker.isAway(),
    async charge(request) {
      const { key, amountMinor, currency } = request;
      const body = { key, amount_minor: amountMinor, currency, callback_url: callbackUrl() };
      return settled(chargeOutcome(request, await exchange.post('order', '/orders', body)));
    },
    ask: async (request) => settled(chargeOutcome(request, await exchange.get('ask', `/payments/${request.key}`))),
    cancel: async (request) =>
      settled(chargeOutcome(request, await exchange.post('cancel', `/payments/${request.key}/cancel`, {}))),
    async refund(request) {
      const { key, paymentKey, amountMinor } = request;
      const body = { key, payment_key: paymentKey, amount_minor: amountMinor };
      return refundOutcome(request, await exchange.post('refund', '/refunds', body));
    },
    askRefund: async (request) => refundOutcome(request, await exchange.get('ask_refund', `/refunds/${request.key}`)),
  };
}

/** A wallet captures by itself: one that is only authorised is about to be paid. */
function settled(charged: Charged): Outcome {
  return charged.status === 'authorised' ? { status: 'unknown', reason: 'agreed to and not paid' } : charged;
}
