import type { Pool } from 'pg';
import type { ReceivedWebhook } from '../../../kernel/contract/webhooks.ts';
import {
  createGroupCommit,
  type GroupCommit,
  type GroupCommitOptions,
  tooManyWaiting,
} from '../../../kernel/group-commit.ts';
import { isStoreUnavailable } from '../../../kernel/postgres/errors.ts';
import type { Owners } from '../../shards/owners.ts';
import type { ShardNode, ShardPlacement } from '../../shards/placement.ts';
import type { ApplyResult } from '../apply.ts';
import { applyNobodys, applySharded, OwnerAppeared } from './apply.ts';
import { nobodysUser, type ShardedWebhook } from './item.ts';

export interface ShardedCommitOptions
  extends Pick<GroupCommitOptions<never, never>, 'maxBatch' | 'maxQueue' | 'onBatch'> {
  owners: Owners;
  placement: ShardPlacement;
  /** The pool of a worker, in pipeline mode; the same one for the same node each time. */
  poolOf: (node: ShardNode) => Pool;
  /** Of the coordinator, in pipeline mode. */
  coordinator: Pool;
  now: () => Date;
}

type Lane = GroupCommit<ShardedWebhook, ApplyResult>;

/**
 * A group commit for sharded rows, with a lane of its own for each worker: a batch holds webhooks of users of one
 * worker only and is committed there, at once and alone. A worker that is away fails its own webhooks and no others.
 */
export function createShardedCommit(options: ShardedCommitOptions): GroupCommit<ReceivedWebhook, ApplyResult> {
  const { owners, placement, now } = options;
  const lanes = new Map<string, Lane>();
  let waiting = 0;

  function lane(name: string, apply: (batch: ShardedWebhook[]) => Promise<ApplyResult[]>): Lane {
    const known = lanes.get(name);
    if (known) return known;
    const made = createGroupCommit({ ...options, apply });
    lanes.set(name, made);
    return made;
  }

  async function laneOf(userId: string): Promise<Lane> {
    const { node } = await placement.of(userId);
    return lane(`${node.host}:${node.port}`, (batch) =>
      applySharded({ pool: options.poolOf(node), placement, now }, batch),
    );
  }

  async function route(webhook: ReceivedWebhook): Promise<ApplyResult> {
    const { event } = webhook;
    const plain = { ...webhook, waiting: false, contradictsOwner: false };
    if (event.target === 'none') {
      const storedAs = nobodysUser(event.providerEventId);
      return (await laneOf(storedAs)).add({ ...plain, storedAs });
    }
    const owner = await owners.settle(event);
    const userId = owner.userId ?? event.userId;
    if (userId !== null) {
      const contradictsOwner = event.userId !== null && event.userId !== userId;
      return (await laneOf(userId)).add({ ...plain, storedAs: userId, waiting: owner.waiting, contradictsOwner });
    }
    const nobodys = lane('nobody', (batch) => applyNobodys({ pool: options.coordinator, placement, now }, batch));
    await placement.of('');
    return nobodys.add({ ...plain, storedAs: nobodysUser(event.orderId) });
  }

  async function routeAgain(webhook: ReceivedWebhook): Promise<ApplyResult> {
    for (let attempt = 1; ; attempt++) {
      const result = await route(webhook);
      if (!('error' in result)) return result;
      // Where the shards lie may have changed with the node's state.
      if (isStoreUnavailable(result.error)) placement.forget();
      if (attempt === 3 || !(result.error instanceof OwnerAppeared)) return result;
    }
  }

  return {
    add(webhook) {
      if (waiting >= options.maxQueue) {
        return Promise.reject(tooManyWaiting());
      }
      waiting += 1;
      return routeAgain(webhook).finally(() => {
        waiting -= 1;
      });
    },
    get length() {
      return [...lanes.values()].reduce((sum, one) => sum + one.length, 0);
    },
    async idle() {
      await Promise.all([...lanes.values()].map((one) => one.idle()));
    },
  };
}
