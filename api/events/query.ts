import { sql } from 'kysely';
import { beyondPosition, exactTime, type QueryBuilder } from '../../kernel/postgres/query-builder.ts';
import type { TimeRange } from '../journal/event-time.ts';
import type { EventFilters } from './schemas.ts';
import { type EventPlaces, wantsDisputes, wantsOrders } from './store/event-store.ts';

export interface EventRow {
  aggregate: 'order' | 'dispute';
  event_id: string;
  order_id: string;
  dispute_id: string | null;
  user_id: string;
  sequence: bigint;
  kind: string;
  provider: string | null;
  provider_event_id: string | null;
  data: unknown;
  /** RFC 3339 with microseconds, as everywhere that the row's position matters. */
  created_at: string;
}

export interface EventWindow {
  /** Where the events of what the filters name by id lie; everywhere where it is left out. */
  places?: EventPlaces | undefined;
  /** Time and id of the last row of the page before. */
  position?: readonly string[] | undefined;
  /** Rows to read at most; all where it is left out. */
  limit?: number;
}

/**
 * The query over both event tables, or undefined where the filters exclude both.
 *
 * Each branch carries the time bounds, the position, the order and the limit itself: PostgreSQL then prunes partitions
 * in each, reads each by its index and merges the two, without sorting or reading more than the page. The position is
 * stated twice, because the comparison of rows finds the place in an index and does not prune partitions.
 *
 * Of a query by id the places are values too. It must not be prepared by name: from its sixth run on PostgreSQL may use a
 * plan without the values, and that one locks every partition before it looks at any of them.
 */
export function eventsQuery(builder: QueryBuilder, filters: EventFilters, window: EventWindow) {
  const { places } = window;
  const orders = wantsOrders(filters) && places?.orders.length !== 0;
  const disputes = wantsDisputes(filters) && places?.disputes.length !== 0;
  if (orders && disputes) {
    const both = builder
      .selectFrom(orderBranch(builder, filters, window).as('o'))
      .selectAll()
      .unionAll(builder.selectFrom(disputeBranch(builder, filters, window).as('d')).selectAll())
      .orderBy('sort_time', filters.order)
      .orderBy('event_id', filters.order);
    return window.limit === undefined ? both : both.limit(window.limit);
  }
  if (orders) return orderBranch(builder, filters, window);
  return disputes ? disputeBranch(builder, filters, window) : undefined;
}

/** Removes the column that only sorts. */
export function toEvent({ sort_time: _sort, ...row }: Record<string, unknown>): EventRow {
  return row as unknown as EventRow;
}

function orderBranch(builder: QueryBuilder, filters: EventFilters, window: EventWindow) {
  let branch = builder
    .selectFrom('order_events')
    .select([
      sql<'order' | 'dispute'>`'order'::text`.as('aggregate'),
      'event_id',
      'order_id',
      sql<string | null>`null::text`.as('dispute_id'),
      'user_id',
      'sequence',
      'kind',
      'provider',
      'provider_event_id',
      'data',
      exactTime('created_at').as('created_at'),
      sql<Date>`order_events.created_at`.as('sort_time'),
    ])
    .orderBy('order_events.created_at', filters.order)
    .orderBy('event_id', filters.order);
  for (const condition of conditions(filters, window, 'order_events', window.places?.orders))
    branch = branch.where(condition);
  return window.limit === undefined ? branch : branch.limit(window.limit);
}

function disputeBranch(builder: QueryBuilder, filters: EventFilters, window: EventWindow) {
  let branch = builder
    .selectFrom('dispute_events')
    .select([
      sql<'order' | 'dispute'>`'dispute'::text`.as('aggregate'),
      'event_id',
      'order_id',
      sql<string | null>`dispute_id`.as('dispute_id'),
      'user_id',
      'sequence',
      'kind',
      'provider',
      'provider_event_id',
      'data',
      exactTime('created_at').as('created_at'),
      sql<Date>`dispute_events.created_at`.as('sort_time'),
    ])
    .orderBy('dispute_events.created_at', filters.order)
    .orderBy('event_id', filters.order);
  for (const condition of conditions(filters, window, 'dispute_events', window.places?.disputes))
    branch = branch.where(condition);
  if (filters.dispute_ids) branch = branch.where('dispute_id', 'in', filters.dispute_ids);
  return window.limit === undefined ? branch : branch.limit(window.limit);
}

function conditions(
  filters: EventFilters,
  window: EventWindow,
  table: 'order_events' | 'dispute_events',
  ranges: readonly TimeRange[] | undefined,
) {
  const time = sql.ref(`${table}.created_at`);
  const found = [];
  if (filters.time_from !== undefined) found.push(sql<boolean>`${time} >= ${filters.time_from}`);
  if (filters.time_to !== undefined) found.push(sql<boolean>`${time} < ${filters.time_to}`);
  if (filters.kind) found.push(sql<boolean>`kind in (${sql.join(filters.kind)})`);
  if (filters.order_ids) found.push(sql<boolean>`order_id in (${sql.join(filters.order_ids)})`);
  if (ranges) {
    const within = ranges.map(({ from, to }) => sql`${time} between ${from} and ${to}`);
    found.push(sql<boolean>`(${sql.join(within, sql` or `)})`);
  }
  if (window.places?.userIds) found.push(sql<boolean>`user_id in (${sql.join(window.places.userIds)})`);
  if (window.position) {
    const bound = sql.raw(filters.order === 'asc' ? '>=' : '<=');
    found.push(sql<boolean>`${time} ${bound} ${window.position[0]}`);
    const columns = { time: `${table}.created_at`, id: `${table}.event_id` };
    found.push(beyondPosition(columns, filters.order, window.position));
  }
  return found;
}
