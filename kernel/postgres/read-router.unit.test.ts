import type { Pool } from 'pg';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { createMetrics } from '../metrics.ts';
import { encodeConsistencyToken, formatLsn } from './lsn.ts';
import { createReadRouter, type ReadRouter } from './read-router.ts';

/** A node that reports the position in `lsn`, breaks while it is undefined, and never answers while `frozen`. */
class FakeNode {
  lsn: bigint | undefined;
  frozen = false;
  readonly pool = {
    query: () => {
      if (this.frozen) return new Promise(() => {});
      if (this.lsn === undefined) return Promise.reject(new Error('connection refused'));
      return Promise.resolve({ rows: [{ lsn: formatLsn(this.lsn) }] });
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

const session = (lsn?: bigint) => ({
  consistency: 'session' as const,
  token: lsn === undefined ? undefined : encodeConsistencyToken(lsn),
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

  it.each(['', 'garbage', 'v2.ff', 'v1.', 'v1.zz', `v1.${'f'.repeat(17)}`])(
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
    expect(target.status()).toEqual([{ name: 'replica-1', healthy: false, lag_bytes: 1_900 }]);
    replica.lsn = 2_000n;
    await target.refresh();
    expect(await nodeOf(target, session())).toBe('replica-1');
    replica.lsn = undefined;
    await target.refresh();
    expect(await nodeOf(target, session())).toBe('primary');
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
