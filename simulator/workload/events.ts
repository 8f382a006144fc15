/** Providers that the workload speaks for, by the names that the API knows them under. */
const workloadProviders = ['silvergate', 'stripe', 'adyen'] as const;
export type WorkloadProvider = (typeof workloadProviders)[number];

export interface PlannedOrder {
  provider: WorkloadProvider;
  orderId: string;
  userId: string;
  amountMinor: number;
  currency: string;
  createdAtMs: number;
}

/** What happened at the provider, before it is written down in that provider's words. */
export type PlannedEvent =
  | {
      target: 'order';
      order: PlannedOrder;
      status: 'created' | 'updated' | 'success' | 'failed';
      /** Letters and digits; unique in the whole run. */
      token: string;
      atMs: number;
    }
  | {
      target: 'dispute';
      order: PlannedOrder;
      disputeId: string;
      stage: 'opened' | 'updated' | 'won' | 'lost';
      token: string;
      atMs: number;
      openedAtMs: number;
    };

/** A webhook's body and where it goes. A body is complete but for Adyen's signature, which lies inside it. */
export interface RenderedWebhook {
  /** Below /webhooks/. */
  path: string;
  body: string;
  providerEventId: string;
}

/** The smallest step of the provider's timestamps: two changes of one order must not carry the same time. */
export const timeStepMs: Readonly<Record<WorkloadProvider, number>> = { silvergate: 1, stripe: 1_000, adyen: 1_000 };

const evidencePeriodMs = 14 * 24 * 3_600_000;

/** Writes the event down as the order's provider would. */
export function render(event: PlannedEvent): RenderedWebhook {
  if (event.order.provider === 'stripe') return renderStripe(event);
  if (event.order.provider === 'adyen') return renderAdyen(event);
  return renderSilvergate(event);
}

function renderSilvergate(event: PlannedEvent): RenderedWebhook {
  const { order, token } = event;
  const providerEventId = `evt_${token}`;
  if (event.target === 'order') {
    const body = JSON.stringify({
      provider_event_id: providerEventId,
      order_id: order.orderId,
      user_id: order.userId,
      status: event.status,
      amount_minor: order.amountMinor,
      currency: order.currency,
      created_at: isoTime(order.createdAtMs),
      updated_at: isoTime(event.atMs),
      meta: { channel: 'web', merchant: 'lab-store', attempt: 1 },
    });
    return { path: 'payments/orders', body, providerEventId };
  }
  const decided = event.stage === 'won' || event.stage === 'lost';
  const body = JSON.stringify({
    provider_event_id: providerEventId,
    dispute_id: event.disputeId,
    order_id: order.orderId,
    user_id: order.userId,
    status: decided ? 'closed' : event.stage,
    reason: 'fraud',
    amount_minor: order.amountMinor,
    currency: order.currency,
    occurred_at: isoTime(event.atMs),
    evidence_due_at: isoTime(event.openedAtMs + evidencePeriodMs),
    meta: decided ? { network: 'visa', outcome: event.stage } : { network: 'visa' },
  });
  return { path: 'payments/chargebacks', body, providerEventId };
}

const stripeOrderTypes = {
  created: 'charge.pending',
  updated: 'charge.updated',
  success: 'charge.captured',
  failed: 'payment_intent.canceled',
};
const stripeDisputeTypes = {
  opened: 'charge.dispute.created',
  updated: 'charge.dispute.updated',
  won: 'charge.dispute.closed',
  lost: 'charge.dispute.closed',
};

function renderStripe(event: PlannedEvent): RenderedWebhook {
  const { order, token } = event;
  const providerEventId = `evt_${token}`;
  const metadata = { order_id: order.orderId, user_id: order.userId };
  const money = { amount: order.amountMinor, currency: order.currency.toLowerCase() };
  const intent = `pi_${order.orderId}`;
  const canceledIntent = () => ({
    id: intent,
    object: 'payment_intent',
    status: 'canceled',
    ...money,
    customer: null,
    metadata,
  });
  const charge = (captured: boolean) => ({
    id: `ch_${order.orderId}`,
    object: 'charge',
    status: captured ? 'succeeded' : 'pending',
    captured,
    ...money,
    payment_intent: intent,
    customer: null,
    metadata,
  });
  let type: string;
  let object: object;
  if (event.target === 'order') {
    type = stripeOrderTypes[event.status];
    object = event.status === 'failed' ? canceledIntent() : charge(event.status === 'success');
  } else {
    type = stripeDisputeTypes[event.stage];
    const waiting = event.stage === 'opened' ? 'needs_response' : 'under_review';
    const state = event.stage === 'won' || event.stage === 'lost' ? event.stage : waiting;
    const evidence = { due_by: Math.floor((event.openedAtMs + evidencePeriodMs) / 1000) };
    object = {
      id: event.disputeId,
      object: 'dispute',
      status: state,
      reason: 'fraudulent',
      ...money,
      charge: `ch_${order.orderId}`,
      payment_intent: intent,
      evidence_details: evidence,
      metadata,
    };
  }
  const created = Math.floor(event.atMs / 1000);
  const body = JSON.stringify({
    id: providerEventId,
    object: 'event',
    type,
    created,
    data: { object },
    pending_webhooks: 1,
  });
  return { path: 'stripe', body, providerEventId };
}

const adyenOrderCodes = {
  created: { eventCode: 'AUTHORISATION', success: 'true' },
  updated: { eventCode: 'CAPTURE', success: 'false' },
  success: { eventCode: 'CAPTURE', success: 'true' },
  failed: { eventCode: 'CANCELLATION', success: 'true' },
};
const adyenDisputeCodes = {
  opened: 'NOTIFICATION_OF_CHARGEBACK',
  updated: 'CHARGEBACK_REVERSED',
  won: 'PREARBITRATION_WON',
  lost: 'SECOND_CHARGEBACK',
};

function renderAdyen(event: PlannedEvent): RenderedWebhook {
  const { order, token } = event;
  const { eventCode, success } =
    event.target === 'order'
      ? adyenOrderCodes[event.status]
      : { eventCode: adyenDisputeCodes[event.stage], success: 'true' };
  // Adyen's reference of a dispute stays the same through all its stages; each change of a payment has its own.
  const pspReference = event.target === 'order' ? token : event.disputeId;
  const merchantAccountCode = 'LabStore';
  const item = {
    additionalData: { shopperReference: order.userId },
    pspReference,
    originalReference: '',
    merchantAccountCode,
    merchantReference: order.orderId,
    amount: { value: order.amountMinor, currency: order.currency },
    eventCode,
    eventDate: isoTime(event.atMs),
    reason: event.target === 'dispute' ? 'fraud' : '',
    success,
  };
  const body = JSON.stringify({ live: 'false', notificationItems: [{ NotificationRequestItem: item }] });
  return { path: 'adyen', body, providerEventId: `${pspReference}|${eventCode}|${success}|${merchantAccountCode}` };
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
