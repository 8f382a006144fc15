import type { ClientBase, Pool } from 'pg';
import type { ReceivedWebhook } from '../../../kernel/contract/webhooks.ts';
import { columnsOf, type RowOf } from '../../../kernel/postgres/columns.ts';
import { joinJsonTexts } from '../../../kernel/postgres/json-texts.ts';
import { statements } from '../../../kernel/postgres/statement.ts';
import { withPipelinedTransaction } from '../../../kernel/postgres/transaction.ts';
import type { Capabilities } from '../../../kernel/topology.ts';
import {
  type BatchChanges,
  keyOf,
  type NewAttempt,
  type OrderRelated,
  type Outcome,
  type QuarantinedWebhook,
} from '../batch.ts';
import type { ParkedWebhook } from '../parked.ts';
import type { DisputeState, OrderState, Timed } from '../state.ts';
import {
  attemptsOf,
  disputeState,
  introducesOrder,
  type KeyRow,
  type LockedDisputeRow,
  type LockedOrderRow,
  loadBatch,
  namesAttempt,
  orderState,
  type ParkedRow,
  parkedWebhook,
  unique,
} from './load.ts';
import type { BatchRows, SecondLook, WebhookStore } from './webhook-store.ts';
import {
  changedDisputeColumns,
  changedOrderColumns,
  claimingKey,
  deliveries,
  insertQuarantined,
  keyToInsert,
  orderRow,
  parkedRows,
  writeBatch,
} from './write.ts';

const sql = statements(new URL('./sql/one-server/', import.meta.url), [
  'find_keys_natural_key',
  'find_keys_key_table',
  'find_attempts',
  'lock_orders',
  'lock_disputes',
  'lock_unknown_orders',
  'take_parked',
  'insert_keys',
  'insert_deliveries',
  'update_orders',
  'update_disputes',
  'insert_attempts',
  'insert_parked',
  'delete_parked',
]);

type AttemptRow = RowOf<'order_attempts', 'reference' | 'order_id'>;

export interface OneServerWebhooksOptions {
  /** In pipeline mode. */
  pool: Pool;
  dedupe: Capabilities['dedupe'];
}

/** Webhooks on a server that has all rows. */
export function oneServerWebhooks({ pool, dedupe }: OneServerWebhooksOptions): WebhookStore {
  return {
    commit: (batch, now, decide) =>
      withPipelinedTransaction(
        pool,
        async (client) => {
          const rows = new OneServerRows(client, dedupe);
          return { rows, loaded: await loadBatch(rows, batch) };
        },
        (client, { rows, loaded }) => {
          const changes = decide(batch, loaded);
          return { result: changes.outcomes, statements: writeBatch(client, rows, batch, changes, now) };
        },
      ),
  };
}

class OneServerRows implements BatchRows<ReceivedWebhook> {
  readonly #client: ClientBase;
  readonly #dedupe: Capabilities['dedupe'];

  constructor(client: ClientBase, dedupe: Capabilities['dedupe']) {
    this.#client = client;
    this.#dedupe = dedupe;
  }

  async findKeys(batch: readonly ReceivedWebhook[]): Promise<Map<string, string>> {
    const values = [batch.map(({ provider }) => provider), batch.map(({ event }) => event.providerEventId)];
    const { rows } = await sql[`find_keys_${this.#dedupe}`]<KeyRow>(this.#client, values);
    return new Map(rows.map((row) => [keyOf(row.provider, row.provider_event_id), row.body_sha256]));
  }

  async lockOrders(webhooks: readonly OrderRelated<ReceivedWebhook>[]): Promise<Timed<OrderState>[]> {
    const orderIds = unique(webhooks.map(({ event }) => event.orderId));
    if (orderIds.length === 0) return [];
    const { rows } = await sql.lock_orders<LockedOrderRow>(this.#client, [orderIds, attemptsOf(webhooks)]);
    return rows.map(orderState);
  }

  async findAttempts(webhooks: readonly OrderRelated<ReceivedWebhook>[]): Promise<Map<string, string>> {
    const references = attemptsOf(webhooks);
    if (references.length === 0) return new Map();
    const { rows } = await sql.find_attempts<AttemptRow>(this.#client, [references]);
    return new Map(rows.map((row) => [row.reference, row.order_id]));
  }

  async lockDisputes(
    webhooks: readonly Pick<OrderRelated<ReceivedWebhook>, 'event'>[],
  ): Promise<Timed<DisputeState>[]> {
    const events = webhooks.map(({ event }) => event).filter((event) => event.target === 'dispute');
    const disputeIds = unique(events.map((event) => event.disputeId));
    if (disputeIds.length === 0) return [];
    return (await sql.lock_disputes<LockedDisputeRow>(this.#client, [disputeIds])).rows.map(disputeState);
  }

  async lookAgain(unknown: readonly OrderRelated<ReceivedWebhook>[]): Promise<SecondLook> {
    const names = unique([...unknown.map(({ event }) => event.orderId), ...attemptsOf(unknown)]);
    const [, attempts, orders, disputes, parked] = await Promise.all([
      sql.lock_unknown_orders(this.#client, [names]),
      this.findAttempts(unknown),
      this.lockOrders(unknown),
      this.lockDisputes(unknown),
      this.#takeParked(unknown.filter((webhook) => introducesOrder(webhook) || namesAttempt(webhook.event))),
    ]);
    return { attempts, orders, disputes, parked };
  }

  async #takeParked(introducing: readonly OrderRelated<ReceivedWebhook>[]): Promise<ParkedWebhook[]> {
    const orderIds = unique(introducing.map(({ event }) => event.orderId));
    if (orderIds.length === 0) return [];
    const { rows } = await sql.take_parked<ParkedRow>(this.#client, [orderIds, attemptsOf(introducing)]);
    return rows.map(parkedWebhook);
  }

  lockWaitingDisputes(parked: readonly ParkedWebhook[]): Promise<Timed<DisputeState>[]> {
    return this.lockDisputes(parked);
  }

  async insertKeys(batch: readonly ReceivedWebhook[], { outcomes }: BatchChanges): Promise<void> {
    if (this.#dedupe !== 'key_table') return;
    const keys = claimingKey(batch, outcomes).map(keyToInsert);
    if (keys.length === 0) return;
    const columns = columnsOf(keys, ['provider', 'providerEventId', 'bodySha256', 'receivedAt']);
    await sql.insert_keys(this.#client, columns);
  }

  async insertDeliveries(batch: readonly ReceivedWebhook[], outcomes: readonly Outcome[], now: Date): Promise<void> {
    const rows = deliveries(batch, outcomes, now);
    await sql.insert_deliveries(this.#client, [
      ...columnsOf(rows, ['deliveryId', 'provider', 'providerEventId', 'bodySha256']),
      joinJsonTexts(batch.map((webhook) => webhook.body)),
      ...columnsOf(rows, ['verdict', 'reason', 'receivedAt']),
    ]);
  }

  async updateOrders(orders: readonly Timed<OrderState>[]): Promise<void> {
    await sql.update_orders(this.#client, columnsOf(orders.map(orderRow), changedOrderColumns));
  }

  async updateDisputes(disputes: readonly Timed<DisputeState>[]): Promise<void> {
    await sql.update_disputes(this.#client, columnsOf(disputes, changedDisputeColumns));
  }

  async insertParked(parked: readonly ParkedWebhook[]): Promise<void> {
    const columns = columnsOf(parkedRows(parked), [
      'provider',
      'providerEventId',
      'orderId',
      'attemptReference',
      'event',
      'receivedAt',
    ]);
    await sql.insert_parked(this.#client, columns);
  }

  async insertAttempts(attempts: readonly NewAttempt[]): Promise<void> {
    await sql.insert_attempts(this.#client, columnsOf(attempts, ['reference', 'orderId']));
  }

  insertQuarantined(quarantined: readonly QuarantinedWebhook[]): Promise<void> {
    return insertQuarantined(this.#client, quarantined, () => '');
  }

  async deleteParked(parked: readonly ParkedWebhook[]): Promise<void> {
    if (parked.length === 0) return;
    const ids = parked.map(({ event }) => event.providerEventId);
    await sql.delete_parked(this.#client, [parked.map(({ provider }) => provider), ids]);
  }
}
