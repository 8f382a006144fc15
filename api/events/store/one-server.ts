import type { Pool } from 'pg';
import { createQueryBuilder, runQuery } from '../../../kernel/postgres/query-builder.ts';
import type { EventFilters } from '../schemas.ts';
import {
  type EventStore,
  type Life,
  placesOf,
  selectDisputeLives,
  selectOrderLives,
  wantsDisputes,
  wantsOrders,
} from './event-store.ts';

/** Events of which one server has all. */
export function oneServerEvents(): EventStore {
  const builder = createQueryBuilder();

  async function readLives(pool: Pool, filters: EventFilters): Promise<Life[]> {
    const disputes = wantsDisputes(filters) ? selectDisputeLives(builder, filters) : undefined;
    if (!wantsOrders(filters)) return disputes ? runQuery(pool, disputes) : [];
    const orders = selectOrderLives(builder, filters.order_ids!);
    return runQuery(pool, disputes ? orders.unionAll(disputes) : orders);
  }

  return {
    async places(pool, filters) {
      if (!filters.order_ids && !filters.dispute_ids) return undefined;
      return { ...placesOf(await readLives(pool, filters)), userIds: undefined };
    },
  };
}
