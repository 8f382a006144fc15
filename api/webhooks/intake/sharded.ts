import type { Pool } from 'pg';
import { isGuest, type ReceivedWebhook } from '../../../kernel/contract/webhooks.ts';
import { addAll, createGroupCommit, type GroupCommit, tooManyWaiting } from '../../../kernel/group-commit.ts';
import { isStoreUnavailable } from '../../../kernel/postgres/errors.ts';
import type { Owners } from '../../shards/owners.ts';
import type { ShardNode, ShardPlacement } from '../../shards/placement.ts';
import { type ApplyResult, applyWebhooks } from '../apply.ts';
import { isOtherUser } from '../order-transition.ts';
import { OwnerAppeared, shardedWebhooks, unclaimedWebhooks } from '../store/sharded.ts';
import { placeholderUser, type ShardedWebhook, waitingName } from '../store/sharded-webhook.ts';
import type { WebhookStore } from '../store/webhook-store.ts';
import type { IntakeOptions, WebhookIntake } from './intake.ts';

export interface ShardedIntakeOptions extends IntakeOptions {
  owners: Owners;
  placement: ShardPlacement;
  /** The pool of a worker, in pipeline mode; the same one for the same node each time. */
  poolOf: (node: ShardNode) => Pool;
  /** Of the coordinator, in pipeline mode. */
  coordinator: Pool;
}

/**
 * Group commits for sharded rows, one for each worker: a batch holds webhooks of users of one worker only and is
 * committed there, at once and alone. A worker that is away fails its own webhooks and no others.
 */
export function shardedIntake(options: ShardedIntakeOptions): WebhookIntake {
  const groupCommit = new ShardedCommit(options);
  return { groupCommit, apply: (batch) => addAll(groupCommit, batch) };
}

type NodeCommit = GroupCommit<ShardedWebhook, ApplyResult>;

const routeAttempts = 3;

class ShardedCommit implements GroupCommit<ReceivedWebhook, ApplyResult> {
  readonly #options: ShardedIntakeOptions;
  readonly #commits = new Map<string, NodeCommit>();
  #waiting = 0;

  constructor(options: ShardedIntakeOptions) {
    this.#options = options;
  }

  add(webhook: ReceivedWebhook): Promise<ApplyResult> {
    if (this.#waiting >= this.#options.maxQueue) return Promise.reject(tooManyWaiting());
    this.#waiting += 1;
    return this.#commitRouted(webhook).finally(() => {
      this.#waiting -= 1;
    });
  }

  get length(): number {
    return [...this.#commits.values()].reduce((sum, one) => sum + one.length, 0);
  }

  async idle(): Promise<void> {
    await Promise.all([...this.#commits.values()].map((one) => one.idle()));
  }

  async #commitRouted(webhook: ReceivedWebhook): Promise<ApplyResult> {
    for (let attempt = 1; ; attempt++) {
      const result = await this.#route(webhook);
      if (!('error' in result)) return result;
      // Where the shards lie may have changed with the node's state.
      if (isStoreUnavailable(result.error)) this.#options.placement.forget();
      if (attempt === routeAttempts || !(result.error instanceof OwnerAppeared)) return result;
    }
  }

  async #route(webhook: ReceivedWebhook): Promise<ApplyResult> {
    const { event } = webhook;
    const plain = { ...webhook, waiting: false, contradictsOwner: false };
    if (event.target === 'none') {
      const shardUser = placeholderUser(event.providerEventId);
      return (await this.#commitOf(shardUser)).add({ ...plain, shardUser });
    }
    const owner = await this.#options.owners.resolve(event);
    // An event that names an attempt waits for that one, whose order may lie under another user than the event names.
    const shardUser = owner.userId ?? (event.attemptReference === null ? event.userId : null);
    if (shardUser !== null) {
      const { waiting, orderId } = owner;
      const contradictsOwner = !webhook.isReleased && !isGuest(shardUser) && isOtherUser(shardUser, event.userId);
      const placed = { ...plain, event: { ...event, orderId: orderId ?? event.orderId } };
      return (await this.#commitOf(shardUser)).add({ ...placed, shardUser, waiting, contradictsOwner });
    }
    const unclaimed = this.#unclaimed();
    await this.#options.placement.of('');
    return unclaimed.add({ ...plain, shardUser: placeholderUser(waitingName(event)) });
  }

  /** The group commit of the worker that has this user's rows. */
  async #commitOf(userId: string): Promise<NodeCommit> {
    const { placement, poolOf } = this.#options;
    const { node } = await placement.of(userId);
    return this.#named(`${node.host}:${node.port}`, () => shardedWebhooks({ pool: poolOf(node), placement }));
  }

  #unclaimed(): NodeCommit {
    const { placement, coordinator } = this.#options;
    return this.#named('unclaimed', () => unclaimedWebhooks({ pool: coordinator, placement }));
  }

  #named(name: string, open: () => WebhookStore<ShardedWebhook>): NodeCommit {
    const known = this.#commits.get(name);
    if (known) return known;
    const { maxBatch, maxQueue, now, onBatch, onQueue } = this.#options;
    const store = open();
    const made = createGroupCommit<ShardedWebhook, ApplyResult>({
      apply: (batch) => applyWebhooks({ store, now }, batch),
      maxBatch,
      maxQueue,
      onBatch: (size, durationMs) => {
        onBatch?.(size, durationMs);
        onQueue?.(this.length);
      },
    });
    this.#commits.set(name, made);
    return made;
  }
}
