const ofProvider = 'only the body says it, and the model does not derive times';

/** Changes that the audit does not see, with the reason. */
export const unseen: Readonly<Record<string, string>> = {
  'disputes.opened_at: another value': ofProvider,
  'disputes.evidence_due_at: another value': ofProvider,
  'disputes.closed_at: another value': ofProvider,
  'disputes.funds_moved_at: another value': ofProvider,
  'order_attempts: a row is gone': 'not every attempt has a row, so none can be missed',
  'orders.payments: another value': 'the model compares sums and states of payments, and no field that is added',
  'outbox.headers: another value': 'nothing else holds the id of the request',
  'quarantined_webhooks.digest: another value': 'nothing else holds it',
  'quarantined_webhooks.event: another value': 'the model compares what it decides on, and no field that is added',
  'quarantined_webhooks.user_id: another value': 'the order may have been another user’s when it was set aside',
  'webhook_deliveries.body_sha256: another value': 'of Stripe and Adyen it is the hash of a part of the body',
  'webhook_deliveries.delivery_id: another value': 'nothing refers to it',
  'webhook_deliveries.verdict: parked': 'a delivery stays parked by name when its order has come',
};
