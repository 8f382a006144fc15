import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { ReceivedWebhook } from '../../kernel/contract/webhooks.ts';
import type { GroupCommit, GroupCommitOptions } from '../../kernel/group-commit.ts';
import type { ApplyResult } from '../webhooks/apply.ts';
import { createShardedCommit } from '../webhooks/sharded/commit.ts';
import { createOwners, type Owners } from './owners.ts';
import { createShardPlacement, type ShardNode } from './placement.ts';

export interface ShardsOptions extends Pick<GroupCommitOptions<never, never>, 'maxBatch' | 'maxQueue' | 'onBatch'> {
  /** Of the coordinator, in pipeline mode. */
  webhooks: Pool;
  /** Of the coordinator. */
  reads: Pool;
  /** Makes the pool of a worker, in pipeline mode. */
  openPool: (node: ShardNode) => Pool;
  now: () => Date;
  logger: Logger;
}

export interface Shards {
  owners: Owners;
  groupCommit: GroupCommit<ReceivedWebhook, ApplyResult>;
  /** Ends the workers' pools. */
  close(): Promise<void>;
}

/** What the API needs where its rows are sharded: whose an order is, where users lie, and a group commit by worker. */
export function createShards(options: ShardsOptions): Shards {
  const { webhooks, reads, maxBatch, maxQueue, now, logger } = options;
  const pools = new Map<string, Pool>();
  const poolOf = (node: ShardNode): Pool => {
    const name = `${node.host}:${node.port}`;
    const pool = pools.get(name) ?? options.openPool(node);
    pools.set(name, pool);
    return pool;
  };
  const owners = createOwners({ pool: webhooks, reads, maxBatch, maxQueue });
  const placement = createShardPlacement({ pool: reads, logger, now });
  return {
    owners,
    groupCommit: createShardedCommit({ ...options, owners, placement, poolOf, coordinator: webhooks }),
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.end()));
    },
  };
}
