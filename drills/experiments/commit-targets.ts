import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { createOwners } from '../../api/shards/owners.ts';
import { createShardPlacement, type ShardPlacement } from '../../api/shards/placement.ts';
import { shardedIntake } from '../../api/webhooks/intake/sharded.ts';
import type { ReceivedWebhook } from '../../kernel/contract/webhooks.ts';
import { atAddress } from '../../kernel/postgres/hosts.ts';

export const commitTargets = ['worker', 'shard', 'coordinator'] as const;
export type CommitTarget = (typeof commitTargets)[number];

export interface TargetOptions {
  /** Of the API's role on the coordinator. */
  dsn: string;
  openPool(dsn: string): Pool;
  logger: Logger;
  /** Orders of each turn; each has a creation and two updates. */
  orders: number;
  concurrency: number;
}

export interface TargetResult {
  target: CommitTarget;
  perSecond: number;
  transactions: number;
  webhooksPerTransaction: number;
}

/**
 * Applies the same webhooks with a group commit for each worker, for each shard, and one on the coordinator: what is
 * saved by sending a batch to the node that has its shards, and what by smaller batches of one shard.
 */
export async function measureTarget(options: TargetOptions, target: CommitTarget, turn: string): Promise<TargetResult> {
  const coordinator = options.openPool(options.dsn);
  const workers = new Map<string, Pool>();
  const now = () => new Date();
  const real = createShardPlacement({ pool: coordinator, logger: options.logger, now });
  let transactions = 0;
  const { groupCommit } = shardedIntake({
    owners: createOwners({ pool: coordinator, reads: coordinator, maxBatch: 256, maxQueue: 10_000 }),
    placement: disguised(real, target),
    poolOf: (node) => {
      if (target === 'coordinator') return coordinator;
      const host = node.host.split('#')[0]!;
      const dsn = atAddress(options.dsn, { host, port: node.port });
      const pool = workers.get(dsn) ?? options.openPool(dsn);
      workers.set(dsn, pool);
      return pool;
    },
    coordinator,
    now,
    maxBatch: 256,
    maxQueue: 10_000,
    onBatch: () => {
      transactions += 1;
    },
  });
  const apply = async (webhooks: ReceivedWebhook[]) => {
    let next = 0;
    const one = async () => {
      for (;;) {
        const webhook = webhooks[next++];
        if (!webhook) return;
        const result = await groupCommit.add(webhook);
        if ('error' in result) throw result.error;
      }
    };
    await Promise.all(Array.from({ length: options.concurrency }, one));
  };
  try {
    await apply(webhooksOf(`${turn}w`, 200, 0));
    transactions = 0;
    const started = performance.now();
    for (let round = 0; round < 3; round += 1) await apply(webhooksOf(turn, options.orders, round));
    const seconds = (performance.now() - started) / 1000;
    const count = options.orders * 3;
    return {
      target,
      perSecond: Math.round(count / seconds),
      transactions,
      webhooksPerTransaction: Math.round((10 * count) / transactions) / 10,
    };
  } finally {
    await Promise.all([coordinator, ...workers.values()].map((pool) => pool.end()));
  }
}

/** A group commit is named after its node, so a node for each shard makes a group commit for each shard. */
function disguised(real: ShardPlacement, target: CommitTarget): ShardPlacement {
  if (target === 'worker') return real;
  return {
    ...real,
    of: async (userId) => {
      const { shardId, node } = await real.of(userId);
      const name = target === 'coordinator' ? 'coordinator' : `${node.host}#${shardId}`;
      return { shardId, node: { ...node, host: name, port: target === 'coordinator' ? 0 : node.port } };
    },
  };
}

function webhooksOf(tag: string, count: number, round: number): ReceivedWebhook[] {
  return Array.from({ length: count }, (_, n) => {
    const body = JSON.stringify({
      id: `${tag}_${round}_${n}`,
      note: 'a body of the size that a provider sends '.repeat(6),
    });
    return {
      provider: 'silvergate',
      body,
      receivedAt: new Date(),
      requestId: 'commit-targets',
      bodySha256: createHash('sha256').update(body).digest('hex'),
      event: {
        target: 'order',
        providerEventId: `evt_${tag}_${round}_${n}`,
        fingerprint: null,
        orderId: `ord_${tag}_${n}`,
        userId: `user_${n % 2_000}`,
        status: round === 0 ? 'created' : 'updated',
        introduces: round === 0,
        amountMinor: 100n,
        currency: 'EUR',
        meta: {},
        providerUpdatedAt: new Date(Date.UTC(2026, 0, 1) + round),
      },
    } as ReceivedWebhook;
  });
}
