import { readFile } from 'node:fs/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import { AppError } from '../../kernel/http/errors.ts';
import type {
  AnalyticsStore,
  BalanceRow,
  DisputeRow,
  Filter,
  FreshnessRow,
  FunnelRow,
  StageRow,
  TransfersRow,
  UserRow,
  VolumeRow,
} from './store.ts';

const daySeconds = 86_400;

/** Answers from the roll-ups where they have what is asked, else from the deduplicated events. */
export function clickhouseStore(client: ClickHouseClient): AnalyticsStore {
  const run = async <Row>(name: string, parameters: Record<string, unknown>): Promise<Row[]> => {
    const query = await readFile(new URL(`./sql/${name}.clickhouse.sql`, import.meta.url), 'utf8');
    try {
      const answer = await client.query({ query, query_params: parameters, format: 'JSONEachRow' });
      return await answer.json<Row>();
    } catch (error) {
      throw refusal(error);
    }
  };
  const range = ({ timeFrom, timeTo, currency, provider }: Filter) => ({
    // As dates and not as numbers, which ClickHouse would not take below 10,000.
    from: timeFrom,
    to: timeTo,
    currency: currency ?? '',
    provider: provider ?? '',
  });
  const buckets = (filter: Filter) => ({
    ...range(filter),
    seconds: filter.bucketSeconds,
    rollup: filter.bucketSeconds % daySeconds === 0 ? 'rollup_day' : 'rollup_minute',
  });
  return {
    volume: (filter) => run<VolumeRow>('volume', buckets(filter)),
    disputes: (filter) => run<DisputeRow>('disputes', buckets(filter)),
    funnel: (filter) => run<FunnelRow>('funnel', range(filter)),
    topUsers: async (filter, limit) => {
      const rows = await run<UserRow & { volume: unknown }>('top_users', { ...range(filter), limit });
      return rows.map(({ volume: _sortKey, ...row }) => row);
    },
    transfers: (filter) => run<TransfersRow>('transfers', buckets(filter)),
    balances: (filter, account) => run<BalanceRow>('balances', { ...buckets(filter), account }),
    freshness: async (since, newestSince) => {
      const rows = await run<FreshnessRow>('freshness', { from: since, since: newestSince });
      return rows[0]!;
    },
    stages: (since) => run<StageRow>('stages', { from: since }),
  };
}

const unknownTable = '60';

function refusal(error: unknown): unknown {
  const code = serverCode(error);
  // A mistake in our own SQL is an internal error; everything else about the store passes.
  if (code !== undefined && code !== unknownTable) return error;
  const noTables = code === unknownTable;
  return new AppError(
    'service_unavailable',
    noTables
      ? 'ClickHouse has no tables yet: no event has arrived there. Ask with source=postgres.'
      : 'ClickHouse does not answer. Ask with source=postgres.',
    { retryAfterSeconds: 5, cause: error },
  );
}

/** ClickHouse's own error code. By its form and not by its class, which would load the client into every API. */
function serverCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code !== undefined && /^\d+$/.test(code) ? code : undefined;
}
