import { type Request, type Response, Router } from 'express';
import { listedUser, seesAll } from '../../kernel/access/principal.ts';
import { operatorsOnly, principalOf } from '../../kernel/http/authenticate.ts';
import type { Cursors } from '../../kernel/http/cursor.ts';
import { sendData, sendList } from '../../kernel/http/envelope.ts';
import { AppError } from '../../kernel/http/errors.ts';
import { methodNotAllowed } from '../../kernel/http/middleware.ts';
import { onlyPage, toPage } from '../../kernel/http/page.ts';
import { readFromNode, sendConsistencyToken } from '../../kernel/http/read-consistency.ts';
import { jsonBody, optionalJsonBody } from '../../kernel/http/request-body.ts';
import { createQueryBuilder, runQuery } from '../../kernel/postgres/query-builder.ts';
import type { ReadRouter } from '../../kernel/postgres/read-router.ts';
import { addEndpoint, type EndpointDeps } from './endpoints.ts';
import { endpointQuery, notificationQuery } from './queries.ts';
import {
  endpointBody,
  endpointParams,
  endpointsQuery,
  notificationParams,
  notificationsQuery,
  preferencesBody,
  replayBody,
} from './schemas.ts';

export interface NotificationsDeps extends EndpointDeps {
  reads: ReadRouter;
  cursors: Cursors;
}

const maxBodyBytes = 16_384;

/** The endpoints below /notifications and /webhook-endpoints. */
export function notificationsRouter(deps: NotificationsDeps): Router {
  const router = Router();
  const body = jsonBody(maxBodyBytes);
  router
    .route('/notifications')
    .get((request, response) => listNotifications(deps, request, response))
    .all(methodNotAllowed('GET', 'HEAD'));
  router
    .route('/notifications/preferences')
    .get((request, response) => showPreferences(deps, request, response))
    .post(body, (request: Request, response: Response) => savePreferences(deps, request, response))
    .all(methodNotAllowed('GET', 'HEAD', 'POST'));
  router
    .route('/notifications/:id/replay')
    .post(operatorsOnly, optionalJsonBody(1_024), (request: Request, response: Response) =>
      replay(deps, request, response),
    )
    .all(methodNotAllowed('POST'));
  router
    .route('/webhook-endpoints')
    .get((request, response) => listEndpoints(deps, request, response))
    .post(body, (request: Request, response: Response) => createEndpoint(deps, request, response))
    .all(methodNotAllowed('GET', 'HEAD', 'POST'));
  router
    .route('/webhook-endpoints/:id')
    .delete((request, response) => removeEndpoint(deps, request, response))
    .all(methodNotAllowed('DELETE'));
  return router;
}

async function showPreferences(deps: NotificationsDeps, request: Request, response: Response): Promise<void> {
  const { userId } = principalOf(response);
  const query = createQueryBuilder()
    .selectFrom('notification_preferences')
    .select(['user_id', 'language', 'email', 'webhook', 'updated_at'])
    .where('user_id', '=', userId);
  const [found] = await readFromNode(deps.reads, request, response, (pool) => runQuery(pool, query));
  const standard = { user_id: userId, language: 'en', email: true, webhook: true, updated_at: null };
  sendData(response, 'notification_preferences', found ?? standard);
}

async function savePreferences(deps: NotificationsDeps, request: Request, response: Response): Promise<void> {
  const chosen = preferencesBody.parse(request.body);
  const { result, commitLsn } = await deps.notifications.savePreferences(principalOf(response).userId, chosen);
  sendConsistencyToken(response, commitLsn);
  sendData(response, 'notification_preferences', result);
}

async function listNotifications(deps: NotificationsDeps, request: Request, response: Response): Promise<void> {
  const { limit, cursor, ...filters } = notificationsQuery.parse(request.query);
  const user_id = listedUser(principalOf(response), filters.user_id);
  if (user_id === null) return sendList(response, 'notification', [], onlyPage);
  const shown = { ...filters, user_id };
  const before = cursor === undefined ? undefined : deps.cursors.decode('notifications', shown, cursor);
  const query = notificationQuery(shown, before, limit + 1);
  const found = await readFromNode(deps.reads, request, response, (pool) => runQuery(pool, query));
  const { rows, page } = toPage(found, limit, (last) =>
    deps.cursors.encode('notifications', shown, [last.position_time, last.notification_id]),
  );
  const notifications = rows.map(({ position_time: _position, ...row }) => row);
  sendList(response, 'notification', notifications, page);
}

async function replay(deps: NotificationsDeps, request: Request, response: Response): Promise<void> {
  const { id } = notificationParams.parse(request.params);
  replayBody.parse(request.body);
  const { result, commitLsn } = await deps.notifications.replay(id);
  if (!result) throw new AppError('not_found', 'There is no dead letter of this id.');
  sendConsistencyToken(response, commitLsn);
  sendData(response, 'notification_replay', { notification_id: id, replayed: true });
}

async function listEndpoints(deps: NotificationsDeps, request: Request, response: Response): Promise<void> {
  const { limit, cursor, ...filters } = endpointsQuery.parse(request.query);
  const user_id = listedUser(principalOf(response), filters.user_id);
  if (user_id === null) return sendList(response, 'webhook_endpoint', [], onlyPage);
  const shown = { user_id };
  const after = cursor === undefined ? undefined : deps.cursors.decode('webhook-endpoints', shown, cursor)[0];
  const query = endpointQuery(user_id, after, limit + 1);
  const found = await readFromNode(deps.reads, request, response, (pool) => runQuery(pool, query));
  const { rows, page } = toPage(found, limit, (last) =>
    deps.cursors.encode('webhook-endpoints', shown, [last.endpoint_id]),
  );
  sendList(response, 'webhook_endpoint', rows, page);
}

async function createEndpoint(deps: NotificationsDeps, request: Request, response: Response): Promise<void> {
  const body = endpointBody.parse(request.body);
  const { result, commitLsn } = await addEndpoint(deps, principalOf(response), body);
  sendConsistencyToken(response, commitLsn);
  response.setHeader('Cache-Control', 'no-store');
  sendData(response, 'webhook_endpoint', result, 201);
}

async function removeEndpoint(deps: NotificationsDeps, request: Request, response: Response): Promise<void> {
  const { id } = endpointParams.parse(request.params);
  const principal = principalOf(response);
  const owner = seesAll(principal) ? undefined : principal.userId;
  const { result, commitLsn } = await deps.notifications.disableEndpoint(id, owner);
  if (!result) throw new AppError('not_found', 'There is no such endpoint.');
  sendConsistencyToken(response, commitLsn);
  sendData(response, 'webhook_endpoint', result);
}
