import { describe, expect, test } from 'vitest';
import type { ContractEvent } from '../../kernel/contract/webhooks.ts';
import { providers } from '../../kernel/providers/index.ts';
import { createRandom, createZipf } from './random.ts';
import { createWorkload, type PlannedWebhook, type WorkloadOptions } from './workload.ts';

const base: WorkloadOptions = { seed: 7, run: 'r1', startTimeMs: Date.UTC(2026, 2, 1) };

function plan(count: number, options: Partial<WorkloadOptions> = {}): PlannedWebhook[] {
  const workload = createWorkload({ ...base, ...options });
  return Array.from({ length: count }, () => workload.next());
}

const share = (webhooks: PlannedWebhook[], ...kinds: string[]) =>
  webhooks.filter(({ kind }) => kinds.includes(kind)).length / webhooks.length;

/** What the API's own mapping makes of a planned delivery. */
function mapped(webhook: PlannedWebhook): ContractEvent {
  const provider = providers.find(({ name }) => name === webhook.provider)!;
  const [event] = provider.paths[webhook.path]!(JSON.parse(webhook.body));
  if (!event) throw new Error(`not mapped: ${webhook.body}`);
  expect(event.providerEventId).toBe(webhook.providerEventId);
  return event;
}

describe('workload', () => {
  test('the same options plan the same deliveries; seed, run and shard make others', () => {
    const first = plan(5_000);
    expect(plan(5_000)).toEqual(first);
    const bodies = new Set(first.map(({ body }) => body));
    for (const other of [{ shard: 1 }, { run: 'r2' }]) {
      expect(plan(5_000, other).filter(({ body }) => bodies.has(body))).toEqual([]);
    }
    expect(plan(5_000, { seed: 8 }).map(({ body }) => body)).not.toEqual(first.map(({ body }) => body));
  });

  test.each([2_000, 50_000])('the mix of %i deliveries', (count) => {
    const webhooks = plan(count);
    const tolerance = count < 10_000 ? 0.05 : 0.006;
    const rest = 1 - 0.02;
    expect(Math.abs(share(webhooks, 'duplicate') - 0.02)).toBeLessThan(tolerance);
    expect(Math.abs(share(webhooks, 'late') - 0.01)).toBeLessThan(0.006);
    expect(Math.abs(share(webhooks, 'update', 'late') - 0.7 * rest)).toBeLessThan(tolerance);
    expect(Math.abs(share(webhooks, 'new') - 0.2 * rest)).toBeLessThan(tolerance);
    expect(Math.abs(share(webhooks, 'chargeback') - 0.1 * rest)).toBeLessThan(tolerance);
  });

  test('each event has an id of its own, a duplicate repeats an earlier delivery byte for byte', () => {
    const seen = new Map<string, PlannedWebhook>();
    for (const webhook of plan(20_000, { providers: { silvergate: 1, stripe: 1, adyen: 1 } })) {
      const key = `${webhook.provider}/${webhook.providerEventId}`;
      const earlier = seen.get(key);
      if (webhook.kind === 'duplicate') expect(earlier).toMatchObject({ body: webhook.body, path: webhook.path });
      else expect(earlier).toBeUndefined();
      seen.set(key, webhook);
    }
  });

  test('late deliveries come after a newer one of the same order, all others in order', () => {
    const newest = new Map<string, number>();
    for (const { kind, orderId, disputeId, occurredAtMs } of plan(50_000)) {
      if (kind === 'duplicate') continue;
      const key = disputeId ?? orderId!;
      const before = newest.get(key) ?? Number.NEGATIVE_INFINITY;
      if (kind === 'late') expect(occurredAtMs).toBeLessThan(before);
      else expect(occurredAtMs).toBeGreaterThan(before);
      newest.set(key, Math.max(before, occurredAtMs));
    }
  });

  test('nothing refers to an order before it was introduced, and two of one order keep their distance', () => {
    const last = new Map<string, number>();
    for (const { kind, index, orderId } of plan(20_000, { spacing: 100 })) {
      if (kind === 'duplicate') continue;
      if (kind === 'new') expect(last.has(orderId!)).toBe(false);
      else if (kind !== 'late') expect(index - last.get(orderId!)!).toBeGreaterThanOrEqual(100);
      expect(kind === 'new' || last.has(orderId!)).toBe(true);
      if (kind !== 'late') last.set(orderId!, index);
    }
  });

  test.each([{ silvergate: 1 }, { stripe: 1 }, { adyen: 1 }])('%j: the API maps every delivery', (share) => {
    for (const webhook of plan(5_000, { providers: share })) {
      const event = mapped(webhook);
      expect(event.target === 'none').toBe(webhook.orderId === null);
      if (event.target === 'none') continue;
      expect(event.providerUpdatedAt.getTime()).toBe(
        Math.floor(webhook.occurredAtMs / 1000) * 1000 +
          (webhook.provider === 'stripe' ? 0 : webhook.occurredAtMs % 1000),
      );
      if (event.target === 'dispute') expect(event.disputeId).toBe(webhook.disputeId);
      else if (webhook.kind === 'new') expect(event.introduces).toBe(true);
    }
  });

  test('beginnings of orders come late too where the number of deliveries is known, and all that was held back comes', () => {
    const count = 20_000;
    const webhooks = plan(count, { providers: { stripe: 1, adyen: 1 }, late: 0.05, count });
    const begun = new Set<string>();
    let overtaken = 0;
    for (const webhook of webhooks.filter(({ kind, orderId }) => kind !== 'duplicate' && orderId !== null)) {
      if (mapped(webhook).target === 'order' && webhook.kind === 'update' && !begun.has(webhook.orderId!))
        overtaken += 1;
      begun.add(webhook.orderId!);
    }
    expect(overtaken).toBeGreaterThan(20);
    // Nothing late in the end: what is held back waits for two to three times the spacing at most.
    expect(webhooks.slice(-50).some(({ kind }) => kind === 'late')).toBe(false);
    expect(share(webhooks, 'late')).toBeGreaterThan(0.02);
  });

  test('contradictions come in the share that was asked for, and only then', () => {
    const webhooks = plan(20_000, { providers: { silvergate: 1, stripe: 1, adyen: 1 }, contradictions: 0.02 });
    expect(Math.abs(share(webhooks, 'contradiction') - 0.02)).toBeLessThan(0.003);
    expect(share(plan(5_000), 'contradiction')).toBe(0);
  });

  test('the number of open orders stays bounded', () => {
    const open = new Set<string>();
    for (const webhook of plan(200_000)) {
      if (webhook.kind === 'new') open.add(webhook.orderId!);
      if (webhook.kind === 'update' && /"status":"(success|failed)"/.test(webhook.body)) open.delete(webhook.orderId!);
    }
    expect(open.size).toBeLessThan(5_000);
  });

  test.each(['', 'A', 'with-dash', 'x'.repeat(17)])('the run %j is refused', (run) => {
    expect(() => createWorkload({ ...base, run })).toThrow(/run must be/);
  });
});

describe('random', () => {
  test('is uniform over its range and differs between streams', () => {
    const random = createRandom(1);
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) counts[random.below(10)]! += 1;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
    const other = createRandom(1, 1);
    expect(Array.from({ length: 5 }, () => other.next())).not.toEqual(Array.from({ length: 5 }, createRandom(1).next));
  });

  test('Zipf draws the first rank in proportion to the harmonic sum', () => {
    const random = createRandom(2);
    const draw = createZipf(1_000, 1);
    const harmonic = Array.from({ length: 1_000 }, (_, rank) => 1 / (rank + 1)).reduce((sum, term) => sum + term);
    let first = 0;
    for (let i = 0; i < 100_000; i++) if (draw(random) === 0) first += 1;
    expect(first / 100_000).toBeCloseTo(1 / harmonic, 2);
  });
});

test('with a clock, events happen when they are asked for, and all else stays as planned', () => {
  let at = base.startTimeMs;
  const nowMs = () => {
    at += 7;
    return at;
  };
  const workload = createWorkload({ ...base, nowMs });
  const shape = ({ kind, orderId, disputeId, providerEventId }: PlannedWebhook) => [
    kind,
    orderId,
    disputeId,
    providerEventId,
  ];
  const followed = Array.from({ length: 2_000 }, () => {
    const webhook = workload.next();
    if (webhook.kind === 'new') expect(at - webhook.occurredAtMs).toBeLessThan(20);
    return shape(webhook);
  });
  expect(followed).toEqual(plan(2_000).map(shape));
});
