import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { orderStatuses } from '../../kernel/contract/status.ts';
import type { DisputeWebhook, OrderWebhook, ReceivedWebhook } from '../../kernel/contract/webhooks.ts';
import { carry, nothing } from '../../test/webhooks/carry.ts';
import type { BatchChanges, Loaded } from './batch.ts';
import { decideBatch } from './decide.ts';
import { parseParked, serializeParked } from './parked.ts';

/** An order's life as its provider knows it: created first, every later event with a later time. */
const life = fc
  .array(fc.constantFrom('updated', 'success', 'failed' as const), { minLength: 0, maxLength: 6 })
  .map((later) => ['created' as const, ...later].map((status, index) => orderWebhook(status, index)));

function orderWebhook(status: OrderWebhook['status'], index: number): ReceivedWebhook {
  return received({
    target: 'order',
    providerEventId: `evt_${index}`,
    fingerprint: null,
    orderId: 'ord_1',
    userId: 'user_1',
    status,
    attemptReference: null,
    payment: null,
    introduces: status === 'created',
    amountMinor: index === 0 ? 100n : null,
    currency: index === 0 ? 'EUR' : null,
    providerUpdatedAt: new Date(Date.UTC(2026, 0, 1, 0, index)),
    meta: {},
  });
}

function received(event: OrderWebhook | DisputeWebhook): ReceivedWebhook {
  return {
    provider: 'silvergate',
    event,
    bodySha256: event.providerEventId,
    body: '{}',
    receivedAt: new Date(Date.UTC(2026, 1, 1)),
    requestId: 'request',
    isReleased: false,
  };
}

const sources = { now: new Date(0), newId: () => 'id' };

/** Applies the batches one after another, as the database would carry the state from one to the next. */
function applyAll(batches: ReceivedWebhook[][]): { loaded: Loaded; results: BatchChanges[] } {
  let loaded = nothing;
  const results = batches.map((batch) => {
    const changes = decideBatch(batch, loaded, sources);
    loaded = carry(loaded, batch, changes);
    return changes;
  });
  return { loaded, results };
}

/** The first final status in the provider's order, else the last status: what must be stored whatever the arrival. */
const isFinal = (status: string): boolean => status === 'success' || status === 'failed';

describe('decideBatch', () => {
  it('is pure: the same batch on the same rows decides the same, and leaves the rows as they are', () => {
    const early = received({ ...(orderWebhook('updated', 1).event as OrderWebhook), orderId: 'ord_2' });
    const stored = {
      provider: 'silvergate',
      event: early.event as OrderWebhook,
      receivedAt: new Date(Date.UTC(2026, 1, 1)),
      stored: true,
    };
    const created = received({ ...(orderWebhook('created', 0).event as OrderWebhook), orderId: 'ord_2' });
    const first = [orderWebhook('created', 0)];
    const known = carry(nothing, first, decideBatch(first, nothing, sources));
    const loaded: Loaded = { ...known, keys: new Map(), parked: [stored] };
    const before = structuredClone(loaded);
    const batch = [orderWebhook('success', 3), created, orderWebhook('updated', 2), orderWebhook('success', 3)];
    const decide = () => decideBatch(batch, loaded, sources);
    const changes = decide();
    expect(loaded).toEqual(before);
    expect(decide()).toEqual(changes);
    expect(changes.outcomes.map((outcome) => outcome.verdict)).toEqual(['applied', 'applied', 'stale', 'duplicate']);
    expect(changes.unpark).toEqual([stored]);
    expect(changes.unpark[0]).toBe(stored);
  });
});

describe('order state machine', () => {
  it('numbers every event once, 1..n, in any order of arrival, cut into any batches, with duplicates', () => {
    fc.assert(
      fc.property(
        life.chain((webhooks) =>
          fc.tuple(
            fc.shuffledSubarray([...webhooks, ...webhooks], {
              minLength: webhooks.length * 2,
              maxLength: webhooks.length * 2,
            }),
            fc.integer({ min: 1, max: 5 }),
            fc.constant(webhooks.length),
          ),
        ),
        ([arrival, size, total]) => {
          const batches = [];
          for (let i = 0; i < arrival.length; i += size) batches.push(arrival.slice(i, i + size));
          const { loaded, results } = applyAll(batches);
          const events = results.flatMap((changes) => changes.events);
          expect(events.map((event) => Number(event.sequence))).toEqual(
            Array.from({ length: total }, (_v, index) => index + 1),
          );
          expect(new Set(events.map((event) => event.providerEventId)).size).toBe(total);
          expect(loaded.parked).toEqual([]);
          expect(loaded.orders.get('ord_1')!.sequence).toBe(BigInt(total));
        },
      ),
    );
  });

  it('never leaves a final status and never goes back in the provider’s time before it', () => {
    fc.assert(
      fc.property(
        life.chain((webhooks) => fc.shuffledSubarray(webhooks, { minLength: webhooks.length })),
        (arrival) => {
          let loaded = nothing;
          let before = { status: 'created', at: 0 };
          for (const webhook of arrival) {
            loaded = carry(loaded, [webhook], decideBatch([webhook], loaded, sources));
            const order = loaded.orders.get('ord_1');
            if (!order) continue;
            const now = { status: order.status, at: order.providerUpdatedAt.getTime() };
            if (isFinal(before.status)) expect(now).toEqual(before);
            expect(now.at).toBeGreaterThanOrEqual(before.at);
            before = now;
          }
        },
      ),
    );
  });

  it('reaches the same status for every order of arrival when only the last event is final', () => {
    const updates = fc.integer({ min: 0, max: 5 });
    fc.assert(
      fc.property(
        updates.chain((count) => {
          const statuses = ['created', ...Array(count).fill('updated'), 'success'] as (typeof orderStatuses)[number][];
          const webhooks = statuses.map(orderWebhook);
          return fc.shuffledSubarray(webhooks, { minLength: webhooks.length });
        }),
        (arrival) => {
          const { loaded } = applyAll(arrival.map((webhook) => [webhook]));
          expect(loaded.orders.get('ord_1')!.status).toBe('success');
        },
      ),
    );
  });
});

describe('parked webhooks', () => {
  it('survive being stored as JSON', () => {
    const dispute: DisputeWebhook = {
      target: 'dispute',
      providerEventId: 'evt_1',
      fingerprint: null,
      disputeId: 'dp_1',
      orderId: 'ord_1',
      userId: null,
      attemptReference: null,
      funds: null,
      overrules: false,
      kind: 'webhook_opened',
      status: 'open',
      reason: 'fraud',
      amountMinor: 9_007_199_254_740_993n,
      currency: 'EUR',
      providerUpdatedAt: new Date('2026-01-31T12:00:00.123Z'),
      evidenceDueAt: null,
      meta: { nested: { n: 1 } },
    };
    expect(parseParked(JSON.parse(serializeParked(dispute)))).toEqual(dispute);
    const order = orderWebhook('updated', 3).event as OrderWebhook;
    expect(parseParked(JSON.parse(serializeParked(order)))).toEqual(order);
  });
});
