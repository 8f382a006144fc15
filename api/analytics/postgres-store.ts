import type { Pool } from 'pg';
import { statement } from '../../kernel/postgres/statement.ts';
import type {
  AnalyticsStore,
  BalanceRow,
  DisputeRow,
  Filter,
  FreshnessRow,
  FunnelRow,
  TransfersRow,
  UserRow,
  VolumeRow,
} from './store.ts';

const volume = statement(new URL('./sql/volume.postgres.sql', import.meta.url));
const disputes = statement(new URL('./sql/disputes.postgres.sql', import.meta.url));
const funnel = statement(new URL('./sql/funnel.postgres.sql', import.meta.url));
const topUsers = statement(new URL('./sql/top_users.postgres.sql', import.meta.url));
const transfers = statement(new URL('./sql/transfers.postgres.sql', import.meta.url));
const balances = statement(new URL('./sql/balances.postgres.sql', import.meta.url));
const freshness = statement(new URL('./sql/freshness.postgres.sql', import.meta.url));

/** Answers from the journal, event by event: exact and up to date, and as slow as the span is long. */
export function postgresStore(pool: Pool): AnalyticsStore {
  const range = ({ timeFrom, timeTo, currency }: Filter) => [timeFrom, timeTo, currency ?? null];
  const buckets = (filter: Filter) => [...range(filter), filter.provider ?? null, filter.bucketSeconds];
  return {
    volume: async (filter) => (await volume<VolumeRow>(pool, buckets(filter))).rows,
    disputes: async (filter) => (await disputes<DisputeRow>(pool, buckets(filter))).rows,
    funnel: async (filter) => (await funnel<FunnelRow>(pool, range(filter))).rows,
    topUsers: async (filter, limit) => (await topUsers<UserRow>(pool, [...range(filter), limit])).rows,
    transfers: async (filter) => (await transfers<TransfersRow>(pool, [...range(filter), filter.bucketSeconds])).rows,
    balances: async ({ timeFrom, timeTo, bucketSeconds }, accountId) =>
      (await balances<BalanceRow>(pool, [timeFrom, timeTo, accountId, bucketSeconds])).rows,
    freshness: async (since, newestSince) => (await freshness<FreshnessRow>(pool, [since, newestSince])).rows[0]!,
    stages: async () => [],
  };
}
