import {
  type DisputeBooks,
  type DisputeLife,
  evidencePeriodMs,
  isoTime,
  lifeOf,
  nothingBooked,
  type OrderBooks,
  type OrderGiven,
  type OrderLife,
  type ProviderTraffic,
  type RenderedWebhook,
} from './lives.ts';
import type { Random } from './random.ts';

/** Shares of orders and disputes; fields that the contract calls optional are left out now and then. */
const shares = { failed: 0.1, createdWithoutAmount: 0.05, withoutMeta: 0.1, namelessDispute: 0.1, won: 0.4 } as const;

/** The lab's own provider: each event carries the whole order, whose user it always knows. */
export const silvergate: ProviderTraffic = { timeStepMs: 1, planOrder, renderOther: null };

interface RenderedOrder {
  orderId: string;
  userId: string;
  token: string;
  status: OrderBooks['status'];
  createdAtMs: number;
  atMs: number;
  amount?: { amount_minor: number; currency: string } | undefined;
  meta?: object | undefined;
}

function renderOrder(order: RenderedOrder): RenderedWebhook {
  const providerEventId = `evt_${order.token}`;
  const body = JSON.stringify({
    provider_event_id: providerEventId,
    order_id: order.orderId,
    user_id: order.userId,
    status: order.status,
    amount_minor: order.amount?.amount_minor,
    currency: order.amount?.currency,
    created_at: isoTime(order.createdAtMs),
    updated_at: isoTime(order.atMs),
    meta: order.meta,
  });
  return { path: 'payments/orders', body, providerEventId };
}

function planOrder({ userId, amountMinor, currency, random, token }: OrderGiven): OrderLife {
  const orderId = `ord_${token()}`;
  const amount = { amount_minor: amountMinor, currency };
  const meta = random.next() < shares.withoutMeta ? undefined : { channel: 'web', merchant: 'lab-store', attempt: 1 };
  const isPricedLater = random.next() < shares.createdWithoutAmount;
  let createdAtMs = 0;
  const say = (status: OrderBooks['status']) => {
    const eventToken = token();
    return (atMs: number) => {
      if (status === 'created') createdAtMs = atMs;
      const priced = status === 'created' && isPricedLater ? undefined : amount;
      return renderOrder({ orderId, userId, token: eventToken, status, createdAtMs, atMs, amount: priced, meta });
    };
  };
  const { steps, add } = lifeOf(nothingBooked);
  add(say('created'));
  if (random.next() < shares.failed) add(say('failed'), { status: 'failed' });
  else add(say('success'), { status: 'success', capturedMinor: amountMinor });
  return {
    orderId,
    steps,
    between: (books) => ({ render: say('updated'), books: { ...books, status: 'updated' }, isTogether: false }),
    dispute: (draws) => planDispute({ orderId, userId, amount, token, random: draws }),
    contradict: () => {
      const eventToken = token();
      const other = `${userId}x`;
      return (atMs) =>
        renderOrder({ orderId, userId: other, token: eventToken, status: 'updated', createdAtMs, atMs, amount, meta });
    },
  };
}

interface DisputeGiven {
  orderId: string;
  userId: string;
  amount: { amount_minor: number; currency: string };
  token(): string;
  random: Random;
}

function planDispute({ orderId, userId, amount, token, random }: DisputeGiven): DisputeLife {
  const isNamed = random.next() >= shares.namelessDispute;
  const disputeId = isNamed ? `dp_${token()}` : `dp_${orderId}`;
  let openedAtMs = 0;
  const say = (status: 'opened' | 'updated' | 'closed', meta: object) => {
    const providerEventId = `evt_${token()}`;
    return (atMs: number): RenderedWebhook => {
      if (status === 'opened') openedAtMs = atMs;
      const body = JSON.stringify({
        provider_event_id: providerEventId,
        dispute_id: isNamed ? disputeId : undefined,
        order_id: orderId,
        user_id: userId,
        status,
        reason: 'fraud',
        amount_minor: amount.amount_minor,
        currency: amount.currency,
        occurred_at: isoTime(atMs),
        evidence_due_at: isoTime(openedAtMs + evidencePeriodMs),
        meta,
      });
      return { path: 'payments/chargebacks', body, providerEventId };
    };
  };
  const { steps, add } = lifeOf<DisputeBooks>({ status: 'open', chargedBackMinor: 0 });
  add(say('opened', { network: 'visa' }));
  add(say('updated', { network: 'visa' }), { status: 'under_review' });
  const outcome = random.next() < shares.won ? 'won' : 'lost';
  add(say('closed', { network: 'visa', outcome }), { status: outcome });
  return { disputeId, steps };
}
