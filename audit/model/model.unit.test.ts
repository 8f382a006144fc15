import { describe, expect, test } from 'vitest';
import { automaticCaptureAccounts } from '../../runtime/merchant-accounts.ts';
import type { DisputeBooks, OrderBooks, WorkloadProvider } from '../../simulator/workload/lives.ts';
import { createWorkload, type PlannedWebhook } from '../../simulator/workload/workload.ts';
import { adyenDispute, adyenOrder } from './adyen.ts';
import { parseExactly } from './exact-json.ts';
import { type Delivery, shifted } from './facts.ts';
import { silvergateDispute, silvergateOrder } from './silvergate.ts';
import { stripeDispute, stripeOrder } from './stripe.ts';

const count = 20_000;
const receivedAt = new Date(Date.UTC(2026, 0, 2));
const models = {
  silvergate: { order: silvergateOrder, dispute: silvergateDispute },
  stripe: { order: stripeOrder, dispute: stripeDispute },
  adyen: { order: adyenOrder, dispute: adyenDispute },
};

const asDelivery = ({ provider, providerEventId, body }: PlannedWebhook): Delivery => {
  return { provider, providerEventId, body: parseExactly(body), receivedAt };
};

const beginsOrder = ({ body }: PlannedWebhook) => body.includes('"status":"created"');

/** Deliveries by order or dispute, and the provider's books after the newest of them. */
function lives(provider: WorkloadProvider, keyOf: (webhook: PlannedWebhook) => string | null) {
  const startTimeMs = Date.UTC(2026, 0, 1);
  const providers = { [provider]: 1 };
  const workload = createWorkload({ seed: 5, run: 'm', startTimeMs, providers, late: 0.05, count });
  const sent = Array.from({ length: count }, () => workload.next()).filter(({ kind }) => kind !== 'duplicate');
  const grouped = Map.groupBy(sent, keyOf);
  grouped.delete(null);
  return [...grouped].map(([id, webhooks]) => {
    const newest = webhooks.toSorted((a, b) => a.occurredAtMs - b.occurredAtMs).at(-1)!;
    // What comes before the order is known waits for it.
    const applied = webhooks.toSorted((a, b) => Number(beginsOrder(b)) - Number(beginsOrder(a)));
    return { id, deliveries: applied.map(asDelivery), books: newest.books };
  });
}

describe.each(['silvergate', 'stripe', 'adyen'] as const)('the model of %s derives from the deliveries', (provider) => {
  test('what the provider has in its books of each order', () => {
    const orders = lives(provider, ({ orderId, disputeId }) => (disputeId === null ? orderId : null));
    expect(orders.length).toBeGreaterThan(1_000);
    for (const { id, deliveries, books } of orders) {
      const { status, authorisedMinor, capturedMinor, refundedMinor } = books as OrderBooks;
      expect(models[provider].order(deliveries, automaticCaptureAccounts), `${id}`).toMatchObject({
        status,
        authorisedMinor: BigInt(authorisedMinor),
        capturedMinor: BigInt(capturedMinor),
        refundedMinor: BigInt(refundedMinor),
      });
    }
  });

  test('and of each dispute', () => {
    const disputes = lives(provider, ({ disputeId }) => disputeId);
    expect(disputes.length).toBeGreaterThan(300);
    for (const { id, deliveries, books } of disputes) {
      const { status, chargedBackMinor } = books as DisputeBooks;
      const expected = { status, chargedBackMinor: BigInt(chargedBackMinor) };
      expect(models[provider].dispute(deliveries), `${id}`).toMatchObject(expected);
    }
  });
});

test.each([
  [100_00n, -2, 100n],
  [100_49n, -2, 100n],
  [100_50n, -2, 101n],
  [1n, -2, 1n],
  [0n, -2, 0n],
  [5n, 2, 500n],
  [5n, 0, 5n],
])('%i shifted by %i powers of ten is %i', (minor, powers, expected) => {
  expect(shifted(minor, powers)).toBe(expected);
});
