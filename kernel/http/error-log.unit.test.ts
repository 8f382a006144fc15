import { Writable } from 'node:stream';
import express from 'express';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createLogger } from '../logging.ts';
import { AppError } from './errors.ts';
import { errorHandler, notFound } from './middleware.ts';
import { type HttpServer, listen } from './server.ts';

let http: HttpServer;
let written: string[] = [];

beforeAll(async () => {
  const destination = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  const app = express();
  app.get('/away', () => {
    throw Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' });
  });
  app.get('/provider', () => {
    const cause = new Error('socket hang up');
    throw new AppError('provider_unavailable', 'The provider does not answer.', { cause });
  });
  app.get('/bug', () => {
    throw new TypeError('x is not a function');
  });
  app.get('/late', (_request, response) => {
    response.write('half of it');
    throw Object.assign(new Error('terminating connection'), { code: '57P01' });
  });
  app.use(notFound);
  app.use(errorHandler(createLogger({ service: 'test', level: 'info' }, destination)));
  http = await listen(app, { host: '127.0.0.1', port: 0, requestTimeoutMs: 10_000 });
});
afterAll(() => http.close(0));
beforeEach(() => {
  written = [];
});

const lines = (): Record<string, unknown>[] => written.map((text) => JSON.parse(text));
const ask = async (path: string): Promise<number> => (await fetch(http.url + path)).status;

test.each([
  [
    'an outage of the store',
    '/away',
    503,
    { level: 'error', reason: 'ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:5432' },
  ],
  ['an outage of the provider', '/provider', 503, { level: 'error', reason: 'socket hang up' }],
  ['a refusal', '/nowhere', 404, { level: 'info', code: 'not_found', path: '/nowhere' }],
])('%s is one line without a stack', async (_name, path, status, line) => {
  expect(await ask(path)).toBe(status);
  expect(lines()).toMatchObject([line]);
  expect(written.join('')).not.toMatch(/\.ts:|stack/);
});

test('an unexpected error keeps its stack', async () => {
  expect(await ask('/bug')).toBe(500);
  expect(lines()).toMatchObject([{ level: 'error', code: 'internal_error', err: { message: 'x is not a function' } }]);
  expect(String((lines()[0]!.err as { stack: string }).stack)).toContain('error-log.unit.test.ts');
});

test('a failure after the answer has begun cuts the connection, and is one line too', async () => {
  await expect(fetch(`${http.url}/late`).then((response) => response.text())).rejects.toThrow();
  expect(lines()).toMatchObject([{ code: 'service_unavailable', reason: '57P01: terminating connection' }]);
});

test('thousands of failures cost a few lines and one with their number', async () => {
  const count = 300;
  await Promise.all(Array.from({ length: count }, () => ask('/away')));
  await expect.poll(() => lines().some((line) => line.count !== undefined), { timeout: 10_000 }).toBe(true);
  const omitted = lines().reduce((sum, line) => sum + Number(line.count ?? 0), 0);
  const failed = lines().filter((line) => line.msg === 'request failed').length;
  expect(lines().find((line) => line.count !== undefined)!.msg).toMatch(/^… and \d+ more$/);
  expect(failed).toBeLessThan(count);
  expect(failed + omitted).toBeLessThanOrEqual(count);
});
