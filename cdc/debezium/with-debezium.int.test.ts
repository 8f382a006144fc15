import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KafkaClient } from '../../kernel/kafka/port.ts';
import type { Engine } from '../../stream/engine.ts';
import { createDatabase, type TestDatabase } from '../../test/postgres/database.ts';
import { withDebezium } from './with-debezium.ts';

/** A Connect that says of its connector what the test wants to hear; a real one is in the suites beside this. */
let connect: Server;
let database: TestDatabase;
let task = 'RUNNING';

beforeAll(async () => {
  database = await createDatabase('plain');
  connect = createServer((request, response) => {
    const status = { connector: { state: 'RUNNING' }, tasks: [{ id: 0, state: task, trace: 'no password is right' }] };
    const answer = request.url?.endsWith('/status') ? status : { offsets: [] };
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => connect.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  connect.close();
  await database.drop();
});

test('topics that no connector fills are not said to stream, at the start and later', { timeout: 30_000 }, async () => {
  const topics: Engine = {
    run: (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
    status: () => ({ state: 'streaming' }),
  };
  const engine = withDebezium({
    engine: topics,
    kafka: { ensureTopics: async () => {} } as unknown as KafkaClient,
    dsn: database.dsn,
    connectUrl: `http://127.0.0.1:${(connect.address() as AddressInfo).port}`,
    onLostSlot: 'stop',
    logger: pino({ level: 'silent' }),
    onRestart: () => {},
  });
  const state = () => engine.status().state;
  expect(state()).toBe('starting');
  const stop = new AbortController();
  const running = engine.run(stop.signal);
  await expect.poll(state, { timeout: 10_000 }).toBe('streaming');
  task = 'FAILED';
  await expect.poll(state, { timeout: 10_000 }).toBe('waiting');
  task = 'RUNNING';
  await expect.poll(state, { timeout: 10_000 }).toBe('streaming');
  stop.abort();
  await running;
});
