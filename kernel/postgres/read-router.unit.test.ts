import type { Pool } from 'pg';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { createMetrics } from '../metrics.ts';
import { encodeConsistencyToken, formatLsn, positionOf } from './lsn.ts';
import { createReadRouter, type ReadRouter } from './read-router.ts';

/** A node that reports the position in `lsn`, breaks while it is undefined, and never answers while `frozen`. */
class FakeNode {
  lsn: bigint | undefined;
  timeline = 1;
  frozen = false;
  readonly pool = {
    query: () => {
      if (this.frozen) return new Promise(() => {});
      if (this.lsn === undefined) return Promise.reject(new Error('connection refused'));
      return Promise.resolve({ rows: [{ lsn: formatLsn(this.lsn), timeline: this.timeline }] });
    },
  } as unknown as Pool;

  constructor(lsn: bigint | undefined) {
    this.lsn = lsn;
  }
}

let router: ReadRouter | undefined;
afterEach(() => router?.stop());

async function routerOver(primary: FakeNode, ...replicas: FakeNode[]): Promise<ReadRouter> {
  router = createReadRouter({
    primary: primary.pool,
    replicas: replicas.map((replica, index) => ({ name: `replica-${index + 1}`, pool: replica.pool })),
    maxLagBytes: 1_000,
    // The tests call refresh() themselves.
    pollMs: 1_000_000,
    metrics: createMetrics({ service: 'test', topology: 'replicated' }),
    logger: pino({ level: 'silent' }),
  });
  await router.refresh();
  return router;
}

const session = (lsn?: bigint, timeline = 1) => ({
  consistency: 'session' as const,
  token: lsn === undefined ? undefined : encodeConsistencyToken(positionOf(timeline, lsn)),
});
const nodeOf = async (target: ReadRouter, request: Parameters<ReadRouter['choose']>[0]) =>
  (await target.choose(request)).node;

describe('read router', () => {
  it('never sends a read with a token to a replica that has not replayed it', async () => {
    const replica = new FakeNode(100n);
    const target = await routerOver(new FakeNode(200n), replica);
    expect(await nodeOf(target, session(100n))).toBe('replica-1');
    expect(await nodeOf(target, session(101n))).toBe('primary');
    replica.lsn = 101n;
    expect(await nodeOf(target, session(101n))).toBe('replica-1');
  });

  it('lets a caller ask for a node', async () => {
    const target = await routerOver(new FakeNode(200n), new FakeNode(100n));
    expect(await nodeOf(target, { ...session(), consistency: 'primary' })).toBe('primary');
    expect(await nodeOf(target, { ...session(150n), consistency: 'replica' })).toBe('replica-1');
    expect(await nodeOf(target, session())).toBe('replica-1');
  });

  it.each(['', 'garbage', 'v2.ff', 'v1.ff', 'v2..', 'v2.1.zz', `v2.1.${'f'.repeat(17)}`])(
    'reads from the primary for the token %j',
    async (token) => {
      const target = await routerOver(new FakeNode(200n), new FakeNode(200n));
      expect(await nodeOf(target, { consistency: 'session', token })).toBe('primary');
    },
  );

  it('takes turns among the replicas that are there', async () => {
    const target = await routerOver(new FakeNode(10n), new FakeNode(10n), new FakeNode(10n), new FakeNode(undefined));
    const nodes = new Set([
      await nodeOf(target, session()),
      await nodeOf(target, session()),
      await nodeOf(target, session()),
    ]);
    expect(nodes).toEqual(new Set(['replica-1', 'replica-2']));
  });

  it('ejects a replica that is too far behind or gone, and takes it back', async () => {
    const replica = new FakeNode(100n);
    const primary = new FakeNode(2_000n);
    const target = await routerOver(primary, replica);
    expect(await nodeOf(target, session())).toBe('primary');
    expect(target.status()).toMatchObject([{ name: 'replica-1', healthy: false, lag_bytes: 1_900 }]);
    replica.lsn = 2_000n;
    await target.refresh();
    expect(await nodeOf(target, session())).toBe('replica-1');
    replica.lsn = undefined;
    await target.refresh();
    expect(await nodeOf(target, session())).toBe('primary');
  });

  it('sends no read behind a promotion to a server that did not come along, whatever its position', async () => {
    const [left, followed] = [new FakeNode(900n), new FakeNode(500n)];
    followed.timeline = 2;
    const target = await routerOver(new FakeNode(600n), left, followed);
    expect(await nodeOf(target, session(500n, 2))).toBe('replica-2');
    expect(await nodeOf(target, session(501n, 2))).toBe('primary');
    const nodes = [await nodeOf(target, session(400n, 1)), await nodeOf(target, session(400n, 1))];
    expect(new Set(nodes), 'what was written before it, both have').toEqual(new Set(['replica-1', 'replica-2']));
  });

  it('does not trust the former position of a replica that was away', async () => {
    const replica = new FakeNode(500n);
    const target = await routerOver(new FakeNode(500n), replica);
    replica.lsn = undefined;
    await target.refresh();
    replica.lsn = 300n;
    await target.refresh();
    expect(await nodeOf(target, session(500n))).toBe('primary');
  });

  it('does not wait for a replica that is frozen', async () => {
    const replica = new FakeNode(100n);
    const target = await routerOver(new FakeNode(100n), replica);
    replica.frozen = true;
    expect(await nodeOf(target, session(150n))).toBe('primary');
    await target.refresh();
    expect(await nodeOf(target, session())).toBe('primary');
  });
});

describe('lag in time', () => {
  it('ejects a replica that stands still while the primary writes, and takes it back', async () => {
    let nowMs = 0;
    const primary = new FakeNode(100n);
    const replica = new FakeNode(100n);
    const metrics = createMetrics({ service: 'test', topology: 'replicated' });
    router = createReadRouter({
      primary: primary.pool,
      replicas: [{ name: 'replica-1', pool: replica.pool }],
      metrics,
      maxLagBytes: 1_000_000,
      maxLagMs: 5_000,
      pollMs: 1_000_000,
      clock: () => nowMs,
      logger: pino({ level: 'silent' }),
    });
    await router.refresh();
    nowMs = 1_000;
    primary.lsn = 101n;
    await router.refresh();
    nowMs = 6_000;
    await router.refresh();
    expect(router.status()).toEqual([{ name: 'replica-1', healthy: true, lag_bytes: 1, lag_seconds: 5 }]);
    nowMs = 6_001;
    await router.refresh();
    expect(router.status()[0]).toMatchObject({ healthy: false, lag_seconds: 5.001 });
    const exported = await metrics.registry.metrics();
    expect(exported).toMatch(/replica_lag_seconds\{replica="replica-1".*\} 5\.001/);
    expect(exported).toMatch(/replica_healthy\{replica="replica-1".*\} 0/);
    replica.lsn = 101n;
    await router.refresh();
    expect(router.status()[0]).toMatchObject({ healthy: true, lag_seconds: 0 });
  });

  it('grows for a replica that is gone', async () => {
    let nowMs = 0;
    const primary = new FakeNode(100n);
    const replica = new FakeNode(100n);
    router = createReadRouter({
      primary: primary.pool,
      replicas: [{ name: 'replica-1', pool: replica.pool }],
      maxLagBytes: 1_000_000,
      pollMs: 1_000_000,
      clock: () => nowMs,
      metrics: createMetrics({ service: 'test', topology: 'replicated' }),
      logger: pino({ level: 'silent' }),
    });
    await router.refresh();
    replica.lsn = undefined;
    primary.lsn = 150n;
    nowMs = 1_000;
    await router.refresh();
    nowMs = 3_000;
    await router.refresh();
    expect(router.status()[0]).toEqual({ name: 'replica-1', healthy: false, lag_bytes: 50, lag_seconds: 2 });
  });
});
