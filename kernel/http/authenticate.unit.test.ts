import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import express from 'express';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAccessTokens } from '../access/access-tokens.ts';
import { authenticate, principalOf, requireRole } from './authenticate.ts';
import { sendData } from './envelope.ts';
import { errorHandler } from './middleware.ts';
import { type HttpServer, listen } from './server.ts';

let clockMs = 1_800_000_000_000;
const tokens = createAccessTokens({ secrets: ['x'.repeat(32)], now: () => new Date(clockMs) });
let http: HttpServer;

beforeAll(async () => {
  const app = express();
  app.get('/open', (_request, response) => sendData(response, 'x', 1));
  app.use(authenticate(tokens));
  app.get('/me', (_request, response) => sendData(response, 'principal', principalOf(response)));
  app.get('/operators', requireRole('operator', 'admin'), (_request, response) => sendData(response, 'x', 1));
  app.use(errorHandler(pino({ level: 'silent' })));
  http = await listen(app, { host: '127.0.0.1', port: 0, requestTimeoutMs: 5_000 });
});
afterAll(() => http.close(1_000));

async function get(path: string, authorization?: string) {
  const answer = await fetch(http.url + path, { headers: { ...(authorization !== undefined && { authorization }) } });
  const body = (await answer.json()) as { data: unknown; error: { code: string; message: string } | null };
  return { status: answer.status, challenge: answer.headers.get('www-authenticate'), ...body };
}

test('the principal of a request is that of its token', async () => {
  const token = await tokens.sign({ userId: 'user_1', role: 'customer' }, 60);
  for (const scheme of ['Bearer', 'bearer', 'BEARER ']) {
    expect(await get('/me', `${scheme} ${token}`)).toMatchObject({
      status: 200,
      data: { userId: 'user_1', role: 'customer' },
    });
  }
});

test('without a token the answer says how to get one, and names no error', async () => {
  expect(await get('/me')).toMatchObject({
    status: 401,
    challenge: 'Bearer realm="payments-lab"',
    error: { code: 'unauthenticated', message: expect.stringContaining('Authorization: Bearer') },
  });
  expect((await get('/operators')).status).toBe(401);
  expect((await get('/open')).status).toBe(200);
});

test.each([
  '',
  'Bearer',
  'Bearer ',
  'Basic dXNlcjpwYXNz',
  'Bearer a b',
  'Bearer a,b',
  'Token abc',
  'Bearer abc.def.ghi',
])('Authorization: %j is refused where a token is needed', async (authorization) => {
  // An empty header is as none for fetch.
  if (authorization === '') return expect((await get('/me', authorization)).status).toBe(401);
  expect(await get('/me', authorization)).toMatchObject({
    status: 401,
    challenge: 'Bearer realm="payments-lab", error="invalid_token"',
    error: { code: 'unauthenticated' },
  });
  expect((await get('/open', authorization)).status).toBe(200);
});

test('an expired token is refused with the reason', async () => {
  const token = await tokens.sign({ userId: 'user_1', role: 'customer' }, 60);
  clockMs += 60_000;
  expect((await get('/me', `Bearer ${token}`)).error!.message).toContain('has expired');
});

test('a role that does not suffice is refused, and named', async () => {
  const bearer = async (role: 'customer' | 'operator' | 'admin') =>
    `Bearer ${await tokens.sign({ userId: 'user_1', role }, 60)}`;
  expect(await get('/operators', await bearer('customer'))).toMatchObject({
    status: 403,
    challenge: null,
    error: { code: 'forbidden', message: 'This needs the role operator or admin; the token has customer.' },
  });
  expect((await get('/operators', await bearer('operator'))).status).toBe(200);
  expect((await get('/operators', await bearer('admin'))).status).toBe(200);
});

test('a token beyond the size of headers is answered 431', async () => {
  const socket = connect(http.port, '127.0.0.1');
  socket.write(`GET /me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${'x'.repeat(20_000)}\r\n\r\n`);
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 431 /);
});
