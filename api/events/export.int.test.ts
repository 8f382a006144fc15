import { get as httpGet, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { busyConnections, isIdle, seedEvents } from '../../test/api/events.ts';
import { type RunningApi, startApi } from '../../test/api/running-api.ts';

const small = 1_200;
const large = 40_000;
const smallRange = 'time_from=2026-03-01T00:00:00Z&time_to=2026-04-01T00:00:00Z';
const largeRange = 'time_from=2026-05-01T00:00:00Z';
const path = '/api/v1/events/export';

let api: RunningApi;

beforeAll(async () => {
  api = await startApi({ topology: 'plain', maxExports: 2, statementTimeoutMs: 500 });
  await seedEvents(api.query, { count: small, from: new Date(Date.UTC(2026, 2, 1)), everyMs: 1_000 });
  await seedEvents(api.query, {
    count: large,
    from: new Date(Date.UTC(2026, 4, 1)),
    everyMs: 10,
    prefix: 'large_',
    padding: 2_000,
  });
});

/** Whatever a test did to its export, the connection is free again. */
afterEach(async () => {
  await vi.waitFor(async () => {
    expect(await busyConnections(api.query)).toBe(0);
    expect(isIdle(api.pool)).toBe(true);
  }, 5_000);
});

afterAll(() => api.close());

/** Sends the request and leaves the body unread. */
async function open(query: string, from = api): Promise<IncomingMessage> {
  const authorization = `Bearer ${await from.tokens.sign({ userId: 'op_1', role: 'operator' }, 60)}`;
  return new Promise((resolve, reject) => {
    httpGet(`${from.url}${path}?${query}`, { agent: false, headers: { authorization } }, (response) =>
      resolve(response.pause()),
    ).on('error', reject);
  });
}

/** Lines and their order; undefined where the body was cut short. */
async function readToEnd(response: IncomingMessage): Promise<{ lines: number; inOrder: boolean } | undefined> {
  let lines = 0;
  let inOrder = true;
  let last = '';
  try {
    for await (const line of createInterface({ input: response })) {
      const event = JSON.parse(line);
      inOrder &&= event.created_at >= last;
      last = event.created_at;
      lines += 1;
    }
  } catch {
    return undefined;
  }
  return response.complete ? { lines, inOrder } : undefined;
}

test('every line is an event, as the list shows it', async () => {
  const { status, headers, body } = await api.call('GET', `${path}?${smallRange}`);
  expect({ status, type: headers.get('content-type'), node: headers.get('x-read-node') }).toEqual({
    status: 200,
    type: 'application/x-ndjson',
    node: 'primary',
  });
  const lines = String(body).trimEnd().split('\n');
  expect(lines).toHaveLength(small);
  const listed = await api.call('GET', `/api/v1/events?${smallRange}&limit=1000`);
  expect(lines.slice(0, 1_000).map((line) => JSON.parse(line))).toEqual(listed.body.data);
});

test('filters and the order apply, and nothing is an empty body', async () => {
  const filtered = await api.call('GET', `${path}?${smallRange}&kind=evidence_added&order=desc`);
  const kinds = String(filtered.body)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).kind);
  expect(kinds).toEqual(Array.from({ length: small / 4 }, () => 'evidence_added'));
  for (const query of ['time_from=2030-01-01T00:00:00Z', 'dispute_ids=dp_1&kind=hold_set']) {
    expect(await api.call('GET', `${path}?${query}`)).toMatchObject({ status: 200, body: '' });
  }
  expect(await api.call('HEAD', path)).toMatchObject({ status: 200, body: '' });
});

test('a reader that pauses makes the database wait, not the process buffer', async () => {
  // Without garbage: how much of it waits depends on what else this process has done before.
  setFlagsFromString('--expose-gc');
  const collectGarbage: () => void = runInNewContext('gc');
  const memory = () => {
    collectGarbage();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = memory();
  const response = await open(largeRange);
  onTestFinished(() => void response.destroy());
  const waiting = async () => {
    const [row] = await api.query(
      `select wait_event from pg_stat_activity where application_name = 'api-test' and state = 'active'`,
    );
    return row?.wait_event;
  };
  await vi.waitFor(async () => expect(await waiting()).toBe('ClientRead'), 5_000);
  // Longer than the statement time-out, which must not end an export whose reader is slow.
  await delay(700);
  expect(await waiting()).toBe('ClientRead');
  // The whole export has more than 90 MB.
  expect(memory() - before).toBeLessThan(25_000_000);
  expect(await readToEnd(response)).toEqual({ lines: large, inOrder: true });
}, 30_000);

test('a reader that goes away closes the cursor and frees the connection', async () => {
  for (let i = 0; i < 5; i++) {
    const response = await open(largeRange);
    if (i % 2) for await (const _chunk of response) break;
    response.destroy();
    await vi.waitFor(async () => expect(await busyConnections(api.query)).toBe(0), 5_000);
  }
});

test('a reader that takes nothing for too long is cut off', async () => {
  const impatient = await startApi({ topology: 'plain', exportStallMs: 200 });
  try {
    await seedEvents(impatient.query, { count: 15_000, from: new Date(), everyMs: 1, padding: 2_000 });
    const response = await open('', impatient);
    await vi.waitFor(async () => expect(await busyConnections(impatient.query)).toBe(1), 2_000);
    await vi.waitFor(async () => expect(await busyConnections(impatient.query)).toBe(0), 5_000);
    expect(await readToEnd(response)).toBeUndefined();
  } finally {
    await impatient.close();
  }
});

test('one export too many is 429 with Retry-After', async () => {
  const open1 = await open(largeRange);
  const open2 = await open(largeRange);
  const refused = await api.call('GET', `${path}?${smallRange}`);
  expect({ status: refused.status, code: refused.body.error.code }).toEqual({ status: 429, code: 'rate_limited' });
  expect(refused.headers.get('retry-after')).toBe('5');
  open1.destroy();
  open2.destroy();
  await vi.waitFor(async () => expect((await api.call('GET', `${path}?${smallRange}`)).status).toBe(200), 5_000);
});

test('a database that goes away cuts the body, so that the reader can tell', async () => {
  const response = await open(largeRange);
  await vi.waitFor(async () => expect(await busyConnections(api.query)).toBe(1), 2_000);
  await api.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'api-test'`);
  expect(await readToEnd(response)).toBeUndefined();
  expect((await api.call('GET', `${path}?${smallRange}`)).status).toBe(200);
});

test('a query that fails is an ordinary error answer', async () => {
  await api.query('alter table order_events rename to order_events_away');
  const { status, body } = await api.call('GET', path);
  await api.query('alter table order_events_away rename to order_events');
  expect({ status, code: body.error.code }).toEqual({ status: 500, code: 'internal_error' });
  expect(body.error.message).not.toContain('order_events');
});
