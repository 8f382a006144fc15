import { request } from 'node:http';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type HttpServer, listen } from '../../kernel/http/server.ts';
import { createClickhouseApp } from './app.ts';
import type { Engine, Query } from './engine.ts';

let server: HttpServer;
let queries: Query[];

beforeEach(async () => {
  queries = [];
  const engine: Engine = {
    version: '1.2.3',
    timezone: 'UTC',
    close: async () => {},
    run: async (query) => {
      queries.push(query);
      const none = { rowsRead: 0, bytesRead: 0, rowsWritten: undefined, bytesWritten: undefined };
      return { ...none, bytes: Buffer.from('answer\n'), elapsedSeconds: 0.25 };
    },
  };
  const app = createClickhouseApp({
    engine,
    user: 'lab',
    password: 'secret',
    database: 'lab',
    bodyMaxBytes: 1_000,
    logger: pino({ level: 'silent' }),
  });
  server = await listen(app, { host: '127.0.0.1', port: 0, requestTimeoutMs: 5_000 });
});
afterEach(() => server.close(0));

const login = { 'x-clickhouse-user': 'lab', 'x-clickhouse-key': 'secret' };

test('what the URL and the headers say reaches the engine', async () => {
  const url = `${server.url}/?query=select+1&database=other&max_threads=3&param_a=x%5Ct&query_id=mine&wait_end_of_query=1`;
  const response = await fetch(url, { headers: { ...login, 'x-clickhouse-format': 'JSON' } });
  expect(await response.text()).toBe('answer\n');
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'x-clickhouse-query-id': 'mine',
    'x-clickhouse-format': 'JSON',
    'x-clickhouse-timezone': 'UTC',
    'content-type': 'application/json; charset=UTF-8',
    'x-clickhouse-summary': expect.stringContaining('"elapsed_ns":"250000000"'),
  });
  expect(queries).toEqual([
    expect.objectContaining({
      database: 'other',
      settings: [['max_threads', '3']],
      parameters: [['a', 'x\\t']],
      readOnly: true,
      defaultFormat: 'JSON',
    }),
  ]);
});

test('a body over the limit is refused with 413, announced or chunked', async () => {
  const announced = await fetch(server.url, { method: 'POST', headers: login, body: 'x'.repeat(1_001) });
  expect({ status: announced.status, code: announced.headers.get('x-clickhouse-exception-code') }).toEqual({
    status: 413,
    code: '307',
  });
  const chunked = await new Promise<number | undefined>((resolve, reject) => {
    const sent = request(server.url, { method: 'POST', headers: login }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    sent.on('error', reject);
    for (let part = 0; part < 20; part++) sent.write('y'.repeat(100));
    sent.end();
  });
  expect(chunked).toBe(413);
  expect(queries).toEqual([]);
});

test.each([
  ['GET', '/nowhere', 404],
  ['DELETE', '/?query=select+1', 405],
  ['GET', '/', 200],
  ['POST', '/?compress=1&query=select+1', 501],
])('%s %s is %d', async (method, target, status) => {
  const response = await fetch(server.url + target, { method, headers: login });
  expect(response.status).toBe(status);
  expect(queries).toEqual([]);
});

test('an unknown encoding of the body is refused', async () => {
  const headers = { ...login, 'content-encoding': 'rot13' };
  expect((await fetch(server.url, { method: 'POST', headers, body: 'select 1' })).status).toBe(501);
});
