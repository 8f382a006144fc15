import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Request, type Response, Router } from 'express';
import type { Logger } from 'pino';
import { failureFields } from '../../kernel/failure.ts';
import { operatorsOnly } from '../../kernel/http/authenticate.ts';
import type { Cursors } from '../../kernel/http/cursor.ts';
import { sendList } from '../../kernel/http/envelope.ts';
import { AppError } from '../../kernel/http/errors.ts';
import { methodNotAllowed } from '../../kernel/http/middleware.ts';
import { readFromNode } from '../../kernel/http/read-consistency.ts';
import { createQueryBuilder, type QueryBuilder } from '../../kernel/postgres/query-builder.ts';
import type { ReadRouter } from '../../kernel/postgres/read-router.ts';
import { type EventExport, openExport } from './export.ts';
import { listEvents } from './list.ts';
import { exportEventsQuery, listEventsQuery } from './schemas.ts';
import type { EventStore } from './store/event-store.ts';

export interface EventsDeps {
  reads: ReadRouter;
  events: EventStore;
  cursors: Cursors;
  logger: Logger;
  /** Exports that may run at once; each holds a connection for as long as its reader takes. */
  maxExports?: number;
  /** Time in milliseconds after which an export whose reader takes nothing is cut off. */
  exportStallMs?: number;
}

/** The endpoints below /events. */
export function eventsRouter(deps: EventsDeps): Router {
  const builder = createQueryBuilder();
  const slots = { free: deps.maxExports ?? 2 };
  const router = Router();
  router
    .route('/events')
    .get(operatorsOnly, (request: Request, response: Response) => list(deps, builder, request, response))
    .all(methodNotAllowed('GET', 'HEAD'));
  router
    .route('/events/export')
    .get(operatorsOnly, (request: Request, response: Response) => exportAll(deps, builder, slots, request, response))
    .all(methodNotAllowed('GET', 'HEAD'));
  return router;
}

async function list(deps: EventsDeps, builder: QueryBuilder, request: Request, response: Response): Promise<void> {
  const { limit, cursor, ...filters } = listEventsQuery.parse(request.query);
  const { rows, page } = await readFromNode(deps.reads, request, response, (pool) =>
    listEvents({ builder, cursors: deps.cursors, events: deps.events }, pool, filters, { limit, cursor }),
  );
  sendList(response, 'event', rows, page);
}

async function exportAll(
  deps: EventsDeps,
  builder: QueryBuilder,
  slots: { free: number },
  request: Request,
  response: Response,
): Promise<void> {
  const filters = exportEventsQuery.parse(request.query);
  response.type('application/x-ndjson');
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  if (slots.free === 0) {
    throw new AppError('rate_limited', 'As many exports run as are allowed at once.', { retryAfterSeconds: 5 });
  }
  slots.free -= 1;
  let opened: EventExport | undefined;
  try {
    opened = await readFromNode(deps.reads, request, response, (pool) =>
      openExport({ builder, events: deps.events }, pool, filters),
    );
    response.setTimeout(deps.exportStallMs ?? 60_000, () => response.destroy());
    // The pipeline reads the next batch when the reader has taken this one, and leaves `lines` when it goes away.
    await pipeline(Readable.from(opened.lines(), { highWaterMark: 1 }), response);
  } catch (error) {
    if (!response.headersSent && !response.destroyed) throw error;
    // Too late for an error answer: the connection is cut, so that the reader can tell that lines are missing.
    deps.logger.warn({ ...failureFields(error), request_id: response.locals.requestId }, 'export ended early');
    response.destroy();
  } finally {
    await opened?.close();
    slots.free += 1;
  }
}
