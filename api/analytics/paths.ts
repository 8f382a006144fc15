import type { z } from 'zod';
import { dataResponse, type PathRegistration, readRoute } from '../openapi/describe.ts';
import {
  balancesExample,
  disputesExample,
  freshnessExample,
  funnelExample,
  topUsersExample,
  transfersExample,
  volumeExample,
} from './examples.ts';
import {
  balancesAnswer,
  balancesQuery,
  bucketQuery,
  disputesAnswer,
  freshnessAnswer,
  freshnessQuery,
  funnelAnswer,
  funnelQuery,
  topUsersAnswer,
  topUsersQuery,
  transfersAnswer,
  volumeAnswer,
} from './schemas.ts';

const questions: {
  operationId: string;
  path: string;
  summary: string;
  query: z.ZodObject;
  object: string;
  answer: z.ZodType;
  example: object;
}[] = [
  {
    operationId: 'getVolume',
    path: 'volume',
    summary: 'Orders, success rate and volume over time, by currency and provider',
    query: bucketQuery,
    object: 'analytics_volume',
    answer: volumeAnswer,
    example: volumeExample,
  },
  {
    operationId: 'getDisputeRates',
    path: 'disputes',
    summary: 'Dispute rate and win rate over time, by currency and provider',
    query: bucketQuery,
    object: 'analytics_disputes',
    answer: disputesAnswer,
    example: disputesExample,
  },
  {
    operationId: 'getFunnel',
    path: 'funnel',
    summary: 'How many orders were held, released, captured and paid, by currency',
    query: funnelQuery,
    object: 'analytics_funnel',
    answer: funnelAnswer,
    example: funnelExample,
  },
  {
    operationId: 'getTopUsers',
    path: 'top-users',
    summary: 'The users with the highest volume in a currency',
    query: topUsersQuery,
    object: 'analytics_top_users',
    answer: topUsersAnswer,
    example: topUsersExample,
  },
  {
    operationId: 'getTransferVolume',
    path: 'transfers',
    summary: 'Transfers, top-ups and withdrawals over time, by currency',
    query: funnelQuery,
    object: 'analytics_transfers',
    answer: transfersAnswer,
    example: transfersExample,
  },
  {
    operationId: 'getBalances',
    path: 'balances',
    summary: 'The balance of an account over time',
    query: balancesQuery,
    object: 'analytics_balances',
    answer: balancesAnswer,
    example: balancesExample,
  },
  {
    operationId: 'getFreshness',
    path: 'freshness',
    summary: 'How far analytics are behind, and which stage is slow',
    query: freshnessQuery,
    object: 'analytics_freshness',
    answer: freshnessAnswer,
    example: freshnessExample,
  },
];

export const registerAnalyticsPaths: PathRegistration = (registry) => {
  for (const { operationId, path, summary, query, object, answer, example } of questions) {
    // ClickHouse lags behind by what `freshness` says, and knows nothing of a token.
    const route = {
      operationId,
      path: `/api/v1/analytics/${path}`,
      tags: ['analytics'],
      summary,
      query,
      choosesFreshness: false,
      operatorsOnly: true,
    };
    registry.registerPath(readRoute(route, dataResponse(object, answer, summary, 'read', example)));
  }
};
