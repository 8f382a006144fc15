import { type Request, type RequestHandler, type Response, Router } from 'express';
import { principalOf } from '../../kernel/http/authenticate.ts';
import { sendData } from '../../kernel/http/envelope.ts';
import { methodNotAllowed } from '../../kernel/http/middleware.ts';
import { readFromNode } from '../../kernel/http/read-consistency.ts';
import { jsonBody } from '../../kernel/http/request-body.ts';
import { createQueryBuilder, runQuery } from '../../kernel/postgres/query-builder.ts';
import type { ReadRouter } from '../../kernel/postgres/read-router.ts';
import { type AccessDeps, login, logout, type Origin, refresh, register } from './access.ts';
import { loginBody, refreshBody, registerBody } from './schemas.ts';

export interface UsersDeps {
  reads: ReadRouter;
}

const maxBodyBytes = 16_384;

/** What a client does to get an access token: the endpoints that take requests without one. */
export function accessRouter(deps: AccessDeps): Router {
  const router = Router();
  const post = (path: string, answer: (request: Request, response: Response) => Promise<void>): void => {
    router
      .route(path)
      .post(notStored, jsonBody(maxBodyBytes), (request: Request, response: Response) => answer(request, response))
      .all(methodNotAllowed('POST'));
  };
  post('/auth/register', async (request, response) => {
    const user = await register(deps, registerBody.parse(request.body), originOf(request, response));
    sendData(response, 'user', user, 201);
  });
  post('/auth/login', async (request, response) => {
    sendData(response, 'tokens', await login(deps, loginBody.parse(request.body), originOf(request, response)));
  });
  post('/auth/refresh', async (request, response) => {
    const { refresh_token } = refreshBody.parse(request.body);
    sendData(response, 'tokens', await refresh(deps, refresh_token, originOf(request, response)));
  });
  post('/auth/logout', async (request, response) => {
    const { refresh_token } = refreshBody.parse(request.body);
    await logout(deps, refresh_token, originOf(request, response));
    sendData(response, 'logout', { logged_out: true });
  });
  return router;
}

/** The endpoints below /auth that need an access token. */
export function usersRouter(deps: UsersDeps): Router {
  const builder = createQueryBuilder();
  const router = Router();
  router
    .route('/auth/me')
    .get(async (request, response) => {
      const { userId, role } = principalOf(response);
      const query = builder.selectFrom('users').select(['email', 'created_at']).where('user_id', '=', userId);
      const [found] = await readFromNode(deps.reads, request, response, (pool) => runQuery(pool, query));
      const { email = null, created_at = null } = found ?? {};
      sendData(response, 'user', { user_id: userId, role, email, created_at });
    })
    .all(methodNotAllowed('GET', 'HEAD'));
  return router;
}

/** RFC 6749, section 5.1: no cache keeps what has tokens in it. */
const notStored: RequestHandler = (_request, response, next) => {
  response.setHeader('Cache-Control', 'no-store');
  next();
};

function originOf(request: Request, response: Response): Origin {
  return { address: request.ip ?? 'unknown', requestId: response.locals.requestId };
}
