import { type Request, type Response, Router } from 'express';
import { listedUser, maySee } from '../../kernel/access/principal.ts';
import { operatorsOnly, principalOf } from '../../kernel/http/authenticate.ts';
import type { Cursors } from '../../kernel/http/cursor.ts';
import { sendData, sendList } from '../../kernel/http/envelope.ts';
import { AppError } from '../../kernel/http/errors.ts';
import { methodNotAllowed } from '../../kernel/http/middleware.ts';
import { onlyPage } from '../../kernel/http/page.ts';
import { readFromNode, sendConsistencyToken } from '../../kernel/http/read-consistency.ts';
import { jsonBody } from '../../kernel/http/request-body.ts';
import { createQueryBuilder } from '../../kernel/postgres/query-builder.ts';
import type { ReadRouter } from '../../kernel/postgres/read-router.ts';
import type { ProviderClient } from '../provider-client/client.ts';
import { captureOrder } from './capture.ts';
import { changeHold } from './hold.ts';
import { listOrderEvents, listOrders, type OrderReads } from './list.ts';
import { captureBody, holdBody, listOrdersQuery, orderEventsQuery, orderParams } from './schemas.ts';
import { shownOrderWithAttempts } from './shown.ts';
import { orderNotFound } from './store/locked-order.ts';
import type { OrderRow, OrderStore } from './store/order-store.ts';

export interface OrdersDeps {
  orders: OrderStore;
  reads: ReadRouter;
  cursors: Cursors;
  /** Without one, captures are answered 503. */
  provider: ProviderClient | undefined;
  now: () => Date;
}

const maxBodyBytes = 16_384;

/** The endpoints below /orders. */
export function ordersRouter(deps: OrdersDeps): Router {
  const reads: OrderReads = { orders: deps.orders, builder: createQueryBuilder(), cursors: deps.cursors };
  const router = Router();
  router
    .route('/orders')
    .get((request, response) => list(deps, reads, request, response))
    .all(methodNotAllowed('GET', 'HEAD'));
  router
    .route('/orders/:id')
    .get((request, response) => show(deps, request, response))
    .all(methodNotAllowed('GET', 'HEAD'));
  router
    .route('/orders/:id/events')
    .get((request, response) => events(deps, request, response))
    .all(methodNotAllowed('GET', 'HEAD'));
  router
    .route('/orders/:id/hold')
    .post(operatorsOnly, jsonBody(maxBodyBytes), (request: Request, response: Response) =>
      hold(deps, request, response),
    )
    .all(methodNotAllowed('POST'));
  router
    .route('/orders/:id/capture')
    .post(operatorsOnly, jsonBody(maxBodyBytes), (request: Request, response: Response) =>
      capture(deps, request, response),
    )
    .all(methodNotAllowed('POST'));
  return router;
}

async function list(deps: OrdersDeps, reads: OrderReads, request: Request, response: Response): Promise<void> {
  const asked = listOrdersQuery.parse(request.query);
  const user_id = listedUser(principalOf(response), asked.user_id);
  if (user_id === null) return sendList(response, 'order', [], onlyPage);
  const query = { ...asked, user_id };
  const { rows, page } = await readFromNode(deps.reads, request, response, (pool) => listOrders(reads, pool, query));
  sendList(response, 'order', rows, page);
}

async function show(deps: OrdersDeps, request: Request, response: Response): Promise<void> {
  const { id } = orderParams.parse(request.params);
  const order = await readFromNode(deps.reads, request, response, (pool) => deps.orders.find(pool, id));
  if (!order || !isShownTo(response, order)) throw orderNotFound();
  sendData(response, 'order', shownOrderWithAttempts(order));
}

/** Another user's order is answered as one that is not there; a guest's belongs to whom the guest turned out to be. */
function isShownTo(response: Response, { user_id, customer_id }: Pick<OrderRow, 'user_id' | 'customer_id'>): boolean {
  return maySee(principalOf(response), user_id, customer_id);
}

async function events(deps: OrdersDeps, request: Request, response: Response): Promise<void> {
  const { id } = orderParams.parse(request.params);
  const query = orderEventsQuery.parse(request.query);
  const found = await readFromNode(deps.reads, request, response, (pool) =>
    listOrderEvents({ ...deps, isShown: (order) => isShownTo(response, order) }, pool, id, query),
  );
  if (!found) throw orderNotFound();
  sendList(response, 'order_event', found.rows, found.page);
}

async function hold(deps: OrdersDeps, request: Request, response: Response): Promise<void> {
  const { id } = orderParams.parse(request.params);
  const body = holdBody.parse(request.body);
  const command = { ...body, orderId: id, requestId: response.locals.requestId };
  const { result, commitLsn } = await changeHold(deps, command);
  sendConsistencyToken(response, commitLsn);
  sendData(response, 'order', shownOrderWithAttempts(result));
}

async function capture(deps: OrdersDeps, request: Request, response: Response): Promise<void> {
  const { id } = orderParams.parse(request.params);
  const body = captureBody.parse(request.body);
  const { provider } = deps;
  if (!provider) throw new AppError('provider_unavailable', 'No payment provider is configured.');
  const command = { ...body, orderId: id, requestId: response.locals.requestId };
  const { result, commitLsn } = await captureOrder({ ...deps, provider }, command);
  const { leased_until: _internal, ...shown } = result;
  sendConsistencyToken(response, commitLsn);
  sendData(response, 'capture', shown);
}
