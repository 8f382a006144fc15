import type { Pool } from 'pg';
import { createQueryBuilder, runQuery } from '../../../kernel/postgres/query-builder.ts';
import type { Owners } from '../../shards/owners.ts';
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

/** Events in the shards of their users. Only disputes without their orders are looked for in every shard. */
export function shardedEvents({ owners }: { owners: Owners }): EventStore {
  const builder = createQueryBuilder();

  async function readLives(pool: Pool, filters: EventFilters): Promise<Life[]> {
    const { order_ids: orderIds } = filters;
    let disputes = selectDisputeLives(builder, filters);
    if (!orderIds) return wantsDisputes(filters) ? runQuery(pool, disputes) : [];
    const users = await owners.ofOrders(orderIds);
    if (users.length === 0) return [];
    const orders = selectOrderLives(builder, orderIds).where('user_id', 'in', users);
    disputes = disputes.where('user_id', 'in', users);
    return [
      ...(wantsOrders(filters) ? await runQuery(pool, orders) : []),
      ...(wantsDisputes(filters) ? await runQuery(pool, disputes) : []),
    ];
  }

  return {
    async places(pool, filters) {
      if (!filters.order_ids && !filters.dispute_ids) return undefined;
      const lives = await readLives(pool, filters);
      return { ...placesOf(lives), userIds: [...new Set(lives.map((life) => life.user_id))] };
    },
  };
}
