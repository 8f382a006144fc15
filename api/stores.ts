import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Capabilities } from '../kernel/topology.ts';
import { createPaymentStore, type PaymentStore } from '../ledger/payments/store.ts';
import type { LedgerStore } from '../ledger/store/ledger-store.ts';
import { oneServerLedger } from '../ledger/store/one-server.ts';
import type { DisputeStore } from './disputes/store/dispute-store.ts';
import { oneServerDisputes } from './disputes/store/one-server.ts';
import { shardedDisputes } from './disputes/store/sharded.ts';
import type { EventStore } from './events/store/event-store.ts';
import { oneServerEvents } from './events/store/one-server.ts';
import { shardedEvents } from './events/store/sharded.ts';
import { createNotificationStore, type NotificationStore } from './notifications/store/notification-store.ts';
import { oneServerOrders } from './orders/store/one-server.ts';
import type { OrderStore } from './orders/store/order-store.ts';
import { shardedOrders } from './orders/store/sharded.ts';
import { createOwners } from './shards/owners.ts';
import { createShardPlacement, type ShardNode } from './shards/placement.ts';
import { createUserStore, type UserStore } from './users/store/user-store.ts';
import type { IntakeOptions, WebhookIntake } from './webhooks/intake/intake.ts';
import { oneServerIntake } from './webhooks/intake/one-server.ts';
import { shardedIntake } from './webhooks/intake/sharded.ts';
import { oneServerWebhooks } from './webhooks/store/one-server.ts';

/** Everything by which the use cases reach the database: a noun that comes later is one line more in each form. */
export interface Stores {
  orders: OrderStore;
  disputes: DisputeStore;
  events: EventStore;
  /** In the same form everywhere. */
  users: UserStore;
  /** In the same form everywhere. */
  notifications: NotificationStore;
  /** Accounts, transfers and postings. */
  accounts: LedgerStore;
  /** In the same form everywhere: they lie with the ledger. */
  payments: PaymentStore;
  webhooks: WebhookIntake;
  /** Ends the pools that the stores have opened. */
  close(): Promise<void>;
}

export interface StoresOptions extends IntakeOptions {
  /** Of the primary, or of the coordinator. */
  pool: Pool;
  /** Of the same server, in pipeline mode. */
  webhookPool: Pool;
  /** Of the same server, in pipeline mode. */
  ledgerPool: Pool;
  /** Whether legs of transfers may wait: see `ledgerStrategies`. */
  ledgerDeltas: boolean;
  dedupe: Capabilities['dedupe'];
  logger: Logger;
  /** Makes the pool of a worker, in pipeline mode. */
  openWorkerPool: (node: ShardNode) => Pool;
}

/** Opens the stores in the form that a topology needs. */
export function openStores(form: Capabilities['stores'], options: StoresOptions): Stores {
  return form === 'sharded' ? shardedStores(options) : oneServerStores(options);
}

/** One server has all rows. */
function oneServerStores(options: StoresOptions): Stores {
  const { pool, webhookPool, dedupe } = options;
  return {
    orders: oneServerOrders(pool),
    disputes: oneServerDisputes(pool),
    events: oneServerEvents(),
    users: createUserStore(pool),
    accounts: oneServerLedger({ pool, ledgerPool: options.ledgerPool, deltas: options.ledgerDeltas, now: options.now }),
    notifications: createNotificationStore(pool),
    payments: createPaymentStore({ pool: options.ledgerPool, now: options.now }),
    webhooks: oneServerIntake({ ...options, store: oneServerWebhooks({ pool: webhookPool, dedupe }) }),
    close: async () => {},
  };
}

/** Rows lie in the shards of their users. */
function shardedStores(options: StoresOptions): Stores {
  const { pool, webhookPool, maxBatch, maxQueue, logger, now } = options;
  const workers = new Map<string, Pool>();
  const poolOf = (node: ShardNode): Pool => {
    const name = `${node.host}:${node.port}`;
    const known = workers.get(name) ?? options.openWorkerPool(node);
    workers.set(name, known);
    return known;
  };
  const owners = createOwners({ pool: webhookPool, reads: pool, maxBatch, maxQueue });
  const placement = createShardPlacement({ pool, logger, now });
  return {
    orders: shardedOrders({ pool, owners }),
    disputes: shardedDisputes({ pool, owners }),
    events: shardedEvents({ owners }),
    users: createUserStore(pool),
    notifications: createNotificationStore(pool),
    // Not spread over the shards yet: the coordinator has all of the ledger.
    accounts: oneServerLedger({ pool, ledgerPool: options.ledgerPool, deltas: options.ledgerDeltas, now: options.now }),
    payments: createPaymentStore({ pool: options.ledgerPool, now: options.now }),
    webhooks: shardedIntake({ ...options, owners, placement, poolOf, coordinator: webhookPool }),
    close: async () => {
      await Promise.all([...workers.values()].map((worker) => worker.end()));
    },
  };
}
