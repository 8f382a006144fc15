import type { ClickHouseClient } from '@clickhouse/client';
import { type Request, type Response, Router } from 'express';
import { operatorsOnly } from '../../kernel/http/authenticate.ts';
import { sendData } from '../../kernel/http/envelope.ts';
import { AppError, fieldRefusal } from '../../kernel/http/errors.ts';
import { methodNotAllowed } from '../../kernel/http/middleware.ts';
import { readFromNode } from '../../kernel/http/read-consistency.ts';
import type { ReadRouter } from '../../kernel/postgres/read-router.ts';
import { balanceRow, disputeRow, freshnessFields, funnelRow, transfersRow, userRow, volumeRow } from './answers.ts';
import { clickhouseStore } from './clickhouse-store.ts';
import { postgresStore } from './postgres-store.ts';
import {
  balancesQuery,
  bucketQuery,
  freshnessQuery,
  funnelQuery,
  type Range,
  readRange,
  topUsersQuery,
} from './schemas.ts';
import type { AnalyticsStore } from './store.ts';

export interface AnalyticsDeps {
  reads: ReadRouter;
  /** Without one, only source=postgres is answered. */
  clickhouse?: ClickHouseClient | undefined;
  now: () => Date;
}

type Source = 'clickhouse' | 'postgres';
type AskedRange = Parameters<typeof readRange>[0];

/** The endpoints below /analytics. */
export function analyticsRouter(deps: AnalyticsDeps): Router {
  const router = Router();
  const serve = (path: string, handler: (request: Request, response: Response) => Promise<void>) =>
    router.route(`/analytics/${path}`).get(operatorsOnly, handler).all(methodNotAllowed('GET', 'HEAD'));

  serve('volume', async (request, response) => {
    const { source, currency, provider, ...asked } = bucketQuery.parse(request.query);
    const range = checkRange(deps, asked);
    const filter = { ...range, currency, provider };
    const rows = await ask(deps, source, request, response, (store) => store.volume(filter));
    sendRows(response, 'analytics_volume', source, range, rows.map(volumeRow));
  });
  serve('disputes', async (request, response) => {
    const { source, currency, provider, ...asked } = bucketQuery.parse(request.query);
    const range = checkRange(deps, asked);
    const filter = { ...range, currency, provider };
    const rows = await ask(deps, source, request, response, (store) => store.disputes(filter));
    sendRows(response, 'analytics_disputes', source, range, rows.map(disputeRow));
  });
  serve('funnel', async (request, response) => {
    const { source, currency, ...asked } = funnelQuery.parse(request.query);
    const range = checkRange(deps, asked);
    const filter = { ...range, currency, provider: undefined };
    const rows = await ask(deps, source, request, response, (store) => store.funnel(filter));
    sendRows(response, 'analytics_funnel', source, range, rows.map(funnelRow));
  });
  serve('top-users', async (request, response) => {
    const { source, currency, limit, ...asked } = topUsersQuery.parse(request.query);
    const range = checkRange(deps, asked);
    const filter = { ...range, currency, provider: undefined };
    const rows = await ask(deps, source, request, response, (store) => store.topUsers(filter, limit));
    sendRows(response, 'analytics_top_users', source, range, rows.map(userRow));
  });
  serve('transfers', async (request, response) => {
    const { source, currency, ...asked } = funnelQuery.parse(request.query);
    const range = checkRange(deps, asked);
    const filter = { ...range, currency, provider: undefined };
    const rows = await ask(deps, source, request, response, (store) => store.transfers(filter));
    sendRows(response, 'analytics_transfers', source, range, rows.map(transfersRow));
  });
  serve('balances', async (request, response) => {
    const { source, account_id, ...asked } = balancesQuery.parse(request.query);
    const range = checkRange(deps, asked);
    const filter = { ...range, currency: undefined, provider: undefined };
    const rows = await ask(deps, source, request, response, (store) => store.balances(filter, account_id));
    sendRows(response, 'analytics_balances', source, range, rows.map(balanceRow));
  });
  serve('freshness', (request, response) => freshness(deps, request, response));
  return router;
}

/** An older newest event than this is answered as none. */
const newestWithinMs = 31 * 24 * 60 * 60_000;

async function freshness(deps: AnalyticsDeps, request: Request, response: Response): Promise<void> {
  const { source, window_minutes } = freshnessQuery.parse(request.query);
  const now = deps.now();
  const minute = Math.floor(now.getTime() / 60_000) * 60_000;
  const since = new Date(minute - window_minutes * 60_000);
  const newestSince = new Date(minute - newestWithinMs);
  const [found, stages] = await ask(deps, source, request, response, (store) =>
    Promise.all([store.freshness(since, newestSince), store.stages(since)]),
  );
  sendData(response, 'analytics_freshness', { source, window_minutes, ...freshnessFields(found, stages, now) });
}

/** @throws AppError service_unavailable when ClickHouse is asked for and there is none. */
async function ask<T>(
  deps: AnalyticsDeps,
  source: Source,
  request: Request,
  response: Response,
  question: (store: AnalyticsStore) => Promise<T>,
): Promise<T> {
  if (source === 'postgres') {
    return readFromNode(deps.reads, request, response, (pool) => question(postgresStore(pool)));
  }
  if (!deps.clickhouse) {
    throw new AppError(
      'service_unavailable',
      'No ClickHouse is configured (CLICKHOUSE_URL). Ask with source=postgres, or start the system with --cdc.',
    );
  }
  response.setHeader('X-Read-Node', 'clickhouse');
  return question(clickhouseStore(deps.clickhouse));
}

function checkRange(deps: AnalyticsDeps, asked: AskedRange): Range {
  const range = readRange(asked, deps.now());
  if ('reason' in range) throw fieldRefusal('invalid_request', range.path, range.reason);
  return range;
}

function sendRows(response: Response, object: string, source: Source, range: Range, rows: object[]): void {
  const { timeFrom, timeTo } = range;
  sendData(response, object, {
    source,
    time_from: timeFrom.toISOString(),
    time_to: timeTo.toISOString(),
    rows,
  });
}
