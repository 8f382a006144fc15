import { sql } from 'kysely';
import type { Pool } from 'pg';
import { disputeEventKinds, orderEventKinds } from '../../../kernel/contract/status.ts';
import type { QueryBuilder } from '../../../kernel/postgres/query-builder.ts';
import { eventRange, mergeRanges, type TimeRange } from '../../journal/event-time.ts';
import type { EventFilters } from '../schemas.ts';

/** Where the events of the orders and disputes lie that a reader has named. */
export interface EventPlaces {
  /** Of the orders' own events; empty where there are none. */
  orders: TimeRange[];
  /** Of the events of disputes. */
  disputes: TimeRange[];
  /** Their users, where the rows lie in the shards of these. */
  userIds: string[] | undefined;
}

/** Says where events lie, wherever that is. */
export interface EventStore {
  /**
   * The places of what the filters name by id, as the node of `pool` has them; undefined where they name no ids. What is
   * not known yet has no events: an event and its order's or dispute's row are written in one transaction.
   */
  places(pool: Pool, filters: EventFilters): Promise<EventPlaces | undefined>;
}

/** A row of an order or a dispute, as far as it says where the events lie. */
export interface Life {
  aggregate: 'order' | 'dispute';
  user_id: string;
  created_at: Date;
  updated_at: Date;
}

export function wantsOrders({ kind, dispute_ids }: EventFilters): boolean {
  return !dispute_ids && (kind === undefined || kind.some((one) => includes(orderEventKinds, one)));
}

export function wantsDisputes({ kind }: EventFilters): boolean {
  return kind === undefined || kind.some((one) => includes(disputeEventKinds, one));
}

function includes(kinds: readonly string[], kind: string): boolean {
  return kinds.includes(kind);
}

export function selectOrderLives(builder: QueryBuilder, orderIds: readonly string[]) {
  return builder
    .selectFrom('orders')
    .select([sql<Life['aggregate']>`'order'::text`.as('aggregate'), 'user_id', 'created_at', 'updated_at'])
    .where('order_id', 'in', orderIds)
    .$castTo<Life>();
}

export function selectDisputeLives(builder: QueryBuilder, { order_ids, dispute_ids }: EventFilters) {
  let select = builder
    .selectFrom('disputes')
    .select([sql<Life['aggregate']>`'dispute'::text`.as('aggregate'), 'user_id', 'created_at', 'updated_at']);
  if (order_ids) select = select.where('order_id', 'in', order_ids);
  if (dispute_ids) select = select.where('dispute_id', 'in', dispute_ids);
  return select.$castTo<Life>();
}

export function placesOf(lives: readonly Life[]): Pick<EventPlaces, 'orders' | 'disputes'> {
  const of = (aggregate: Life['aggregate']) =>
    mergeRanges(lives.filter((life) => life.aggregate === aggregate).map(eventRange));
  return { orders: of('order'), disputes: of('dispute') };
}
