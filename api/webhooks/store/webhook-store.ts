import type { ReceivedWebhook } from '../../../kernel/contract/webhooks.ts';
import type { Committed } from '../../../kernel/postgres/transaction.ts';
import type { BatchChanges, Loaded, NewAttempt, OrderRelated, Outcome, QuarantinedWebhook } from '../batch.ts';
import type { ParkedWebhook } from '../parked.ts';
import type { DisputeState, OrderState, Timed } from '../state.ts';

export type Decide = (webhooks: readonly ReceivedWebhook[], loaded: Loaded) => BatchChanges;

/** Where webhooks have their effect. */
export interface WebhookStore<Webhook extends ReceivedWebhook = ReceivedWebhook> {
  /**
   * One transaction: reads and locks what the batch touches, lets `decide` decide, and writes that.
   * @returns one outcome a webhook. @throws what fails the batch as a whole; then nothing stays.
   */
  commit(batch: readonly Webhook[], now: Date, decide: Decide): Promise<Committed<Outcome[]>>;
}

/** What a look behind the locks on unknown orders has found. */
export interface SecondLook {
  orders: Timed<OrderState>[];
  disputes: Timed<DisputeState>[];
  attempts: ReadonlyMap<string, string>;
  /** What waits for the orders and attempts that the webhooks introduce. */
  parked: ParkedWebhook[];
}

/**
 * The statements of one transaction whose form depends on where the rows lie. The connection is in pipeline mode: what
 * is called without awaiting in between shares a round trip.
 */
export interface BatchRows<Webhook extends ReceivedWebhook> {
  /** By `keyOf`: SHA-256 of the body that had the effect. */
  findKeys(batch: readonly Webhook[]): Promise<Map<string, string>>;
  /** Names of attempts → their orders. */
  findAttempts(webhooks: readonly OrderRelated<Webhook>[]): Promise<Map<string, string>>;
  /** Those that the webhooks name, or that their attempts lead to. */
  lockOrders(webhooks: readonly OrderRelated<Webhook>[]): Promise<Timed<OrderState>[]>;
  lockDisputes(webhooks: readonly OrderRelated<Webhook>[]): Promise<Timed<DisputeState>[]>;
  /** Takes the locks that stand for the rows of unknown orders, and looks again. */
  lookAgain(unknown: readonly OrderRelated<Webhook>[]): Promise<SecondLook>;
  /** The disputes of what waits for orders that `unknown` introduces. */
  lockWaitingDisputes(
    parked: readonly ParkedWebhook[],
    unknown: readonly OrderRelated<Webhook>[],
  ): Promise<Timed<DisputeState>[]>;

  insertKeys(batch: readonly Webhook[], changes: BatchChanges): Promise<void>;
  insertDeliveries(batch: readonly Webhook[], outcomes: readonly Outcome[], now: Date): Promise<void>;
  updateOrders(orders: readonly Timed<OrderState>[]): Promise<void>;
  updateDisputes(disputes: readonly Timed<DisputeState>[]): Promise<void>;
  insertAttempts(attempts: readonly NewAttempt[]): Promise<void>;
  insertQuarantined(quarantined: readonly QuarantinedWebhook[], batch: readonly Webhook[]): Promise<void>;
  insertParked(parked: readonly ParkedWebhook[], batch: readonly Webhook[]): Promise<void>;
  deleteParked(parked: readonly ParkedWebhook[]): Promise<void>;
}
