import type { z } from 'zod';
import { dataResponse, type PathRegistration, readRoute } from '../openapi/describe.ts';
import {
  bucketQuery,
  disputesAnswer,
  freshnessAnswer,
  freshnessQuery,
  funnelAnswer,
  funnelQuery,
  topUsersAnswer,
  topUsersQuery,
  volumeAnswer,
} from './schemas.ts';

const questions: { path: string; summary: string; query: z.ZodObject; object: string; answer: z.ZodType }[] = [
  {
    path: 'volume',
    summary: 'Orders, success rate and volume over time, by currency and provider',
    query: bucketQuery,
    object: 'analytics_volume',
    answer: volumeAnswer,
  },
  {
    path: 'disputes',
    summary: 'Dispute rate and win rate over time, by currency and provider',
    query: bucketQuery,
    object: 'analytics_disputes',
    answer: disputesAnswer,
  },
  {
    path: 'funnel',
    summary: 'How many orders were held, released, captured and paid, by currency',
    query: funnelQuery,
    object: 'analytics_funnel',
    answer: funnelAnswer,
  },
  {
    path: 'top-users',
    summary: 'The users with the highest volume in a currency',
    query: topUsersQuery,
    object: 'analytics_top_users',
    answer: topUsersAnswer,
  },
  {
    path: 'freshness',
    summary: 'How far analytics are behind, and which stage is slow',
    query: freshnessQuery,
    object: 'analytics_freshness',
    answer: freshnessAnswer,
  },
];

export const registerAnalyticsPaths: PathRegistration = (registry) => {
  for (const { path, summary, query, object, answer } of questions) {
    // ClickHouse lags behind by what `freshness` says, and knows nothing of a token.
    const route = { path: `/api/v1/analytics/${path}`, tags: ['analytics'], summary, query, choosesFreshness: false };
    registry.registerPath(readRoute(route, dataResponse(object, answer, summary, 'read')));
  }
};
