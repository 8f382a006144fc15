import { describe, expect, test } from 'vitest';
import type { Loaded } from '../../api/webhooks/batch.ts';
import { decideBatch } from '../../api/webhooks/decide.ts';
import type { DisputeBooks, OrderBooks } from '../../simulator/workload/lives.ts';
import { createWorkload, type PlannedWebhook } from '../../simulator/workload/workload.ts';
import { carry, nothing } from './carry.ts';
import { receivedFrom } from './planned.ts';

const count = 8_000;
const startTimeMs = Date.UTC(2026, 0, 1);
const receivedAt = new Date(Date.UTC(2026, 0, 2));

/** What all deliveries leave, in transactions of a few. */
function applyAll(webhooks: readonly PlannedWebhook[]): { loaded: Loaded; quarantined: Set<string> } {
  let loaded = nothing;
  const quarantined = new Set<string>();
  for (let from = 0; from < webhooks.length; from += 100) {
    const batch = webhooks.slice(from, from + 100).flatMap((webhook) => receivedFrom(webhook, receivedAt));
    let number = from;
    const changes = decideBatch(batch, loaded, { now: receivedAt, newId: () => `id_${number++}` });
    for (const { event } of changes.quarantine) quarantined.add(event.providerEventId);
    loaded = carry(loaded, batch, changes);
  }
  return { loaded, quarantined };
}

/** The provider's books after the newest of the events that were sent, by order or dispute. */
function newestBooks(webhooks: readonly PlannedWebhook[], keyOf: (webhook: PlannedWebhook) => string | null) {
  const newest = new Map<string, PlannedWebhook>();
  for (const webhook of webhooks) {
    const key = keyOf(webhook);
    if (key === null || webhook.books === null || webhook.kind === 'duplicate') continue;
    const known = newest.get(key);
    if (!known || webhook.occurredAtMs >= known.occurredAtMs) newest.set(key, webhook);
  }
  return newest;
}

describe.each([
  ['silvergate', { silvergate: 1 }],
  ['stripe', { stripe: 1 }],
  ['adyen', { adyen: 1 }],
  ['all three', { silvergate: 1, stripe: 1, adyen: 1 }],
])('%s: what the API makes of the deliveries', (_name, shares) => {
  const workload = createWorkload({
    seed: 11,
    run: 'b',
    startTimeMs,
    count,
    providers: shares,
    late: 0.05,
    contradictions: 0.01,
  });
  const webhooks = Array.from({ length: count }, () => workload.next());
  const { loaded, quarantined } = applyAll(webhooks);

  test('is what the provider has in its books', () => {
    const books = newestBooks(webhooks, ({ orderId, disputeId }) => (disputeId === null ? orderId : null));
    expect(loaded.orders.size).toBe(books.size);
    for (const [orderId, { provider, books: expected }] of books) {
      const { status, authorisedMinor, capturedMinor, refundedMinor } = expected as OrderBooks;
      expect(loaded.orders.get(orderId), `${provider} ${orderId}`).toMatchObject({
        status,
        authorisedMinor: BigInt(authorisedMinor),
        capturedMinor: BigInt(capturedMinor),
        refundedMinor: BigInt(refundedMinor),
      });
    }
  });

  test('of disputes too', () => {
    const books = newestBooks(webhooks, ({ disputeId }) => disputeId);
    expect(loaded.disputes.size).toBe(books.size);
    for (const [disputeId, { provider, books: expected }] of books) {
      const { status, chargedBackMinor } = expected as DisputeBooks;
      expect(loaded.disputes.get(disputeId), `${provider} ${disputeId}`).toMatchObject({
        status,
        chargedBackMinor: BigInt(chargedBackMinor),
      });
    }
  });

  test('leaves nothing parked, and sets aside the contradictions only', () => {
    expect(loaded.parked).toEqual([]);
    expect(quarantined.size).toBe(webhooks.filter(({ kind }) => kind === 'contradiction').length);
    expect(quarantined.size).toBeGreaterThan(10);
  });
});
