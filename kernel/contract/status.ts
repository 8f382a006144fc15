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

export const holdReasons = ['manual_review', 'risk'] as const;
export type HoldReason = (typeof holdReasons)[number];

/**
 * What became of a delivery. `ignored` is a correctly signed event of a type that the lab does not map: it is stored
 * and answered 2xx, so that the provider does not repeat it, and has no effect.
 */
export const verdicts = ['applied', 'duplicate', 'stale', 'parked', 'quarantined', 'ignored'] as const;
export type Verdict = (typeof verdicts)[number];
