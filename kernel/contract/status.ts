export const orderStatuses = ['created', 'updated', 'success', 'failed'] as const;
export type OrderStatus = (typeof orderStatuses)[number];

/** An order in one of these never changes its status again. */
export const finalOrderStatuses: readonly OrderStatus[] = ['success', 'failed'];

export const disputeStatuses = ['open', 'under_review', 'submitted', 'won', 'lost', 'closed', 'canceled'] as const;
export type DisputeStatus = (typeof disputeStatuses)[number];

/** A dispute in one of these never changes its status again. */
export const finalDisputeStatuses: readonly DisputeStatus[] = ['won', 'lost', 'closed', 'canceled'];

export const orderEventKinds = [
  'webhook_received',
  'hold_set',
  'hold_cleared',
  'capture_requested',
  'capture_completed',
  'capture_failed',
] as const;
export type OrderEventKind = (typeof orderEventKinds)[number];

export const disputeEventKinds = [
  'webhook_opened',
  'webhook_updated',
  'provider_decision',
  'evidence_added',
  'evidence_submitted',
] as const;
export type DisputeEventKind = (typeof disputeEventKinds)[number];

export const paymentStatuses = [
  'pending',
  'processing',
  'completed',
  'failed',
  'canceled',
  'partially_refunded',
  'refunded',
] as const;
export type PaymentStatus = (typeof paymentStatuses)[number];

/** A payment in one of these has left what it reserved: it was paid, or never will be. */
export const settledPaymentStatuses: readonly PaymentStatus[] = paymentStatuses.slice(2);

export const paymentEventKinds = [
  'created',
  'processing',
  'action_required',
  'completed',
  'failed',
  'canceled',
  'refund_requested',
  'refunded',
  'refund_failed',
] as const;
export type PaymentEventKind = (typeof paymentEventKinds)[number];

/** Those who move money outside, by the name under which a payment asks for one. */
export const paymentProviders = ['card', 'wallet'] as const;
export type PaymentProviderName = (typeof paymentProviders)[number];

export const accountEventKinds = ['opened', 'status_changed'] as const;
export type AccountEventKind = (typeof accountEventKinds)[number];

/** Of transfers; each is an event of its own. */
export const transferKinds = ['transfer', 'top_up', 'withdrawal', 'payment', 'refund'] as const;
export type TransferKind = (typeof transferKinds)[number];

export const holdReasons = ['manual_review', 'risk'] as const;
export type HoldReason = (typeof holdReasons)[number];

/**
 * What became of a delivery. `ignored` is a correctly signed event of a type that the lab does not map: it is stored
 * and answered 2xx, so that the provider does not repeat it, and has no effect.
 */
export const verdicts = ['applied', 'duplicate', 'stale', 'parked', 'quarantined', 'ignored'] as const;
export type Verdict = (typeof verdicts)[number];
