import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silvergate } from '../../kernel/providers/silvergate.ts';
import { type RecordedAck, type RecordedRead, readRecords } from '../record/read.ts';
import { bodySha256, openRecord, type RecordWriter } from '../record/record.ts';
import { createRandom } from '../workload/random.ts';
import { createWorkload } from '../workload/workload.ts';
import { createDelivery, type DeliveryOptions } from './delivery.ts';
import { createSigners } from './sign.ts';

const secrets = {
  silvergate: `whsec_${Buffer.alloc(32, 1).toString('base64')}`,
  stripe: 'whsec_0123456789abcdefghijklmn',
  adyen: 'AB'.repeat(32),
};
type Handler = (request: IncomingMessage, body: string, response: ServerResponse) => void;

let directory: string;
let record: RecordWriter;
let server: Server;
let handler: Handler;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'delivery-'));
  record = await openRecord(path.join(directory, 'acks.jsonl'));
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    handler(request, Buffer.concat(chunks).toString(), response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(directory, { recursive: true });
});

async function deliver(change: Partial<DeliveryOptions> = {}) {
  const { totals, run } = createDelivery({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    workload: createWorkload({ seed: 1, run: 'd', startTimeMs: Date.now() }),
    signers: createSigners(secrets),
    count: 200,
    concurrency: 8,
    record,
    readShare: 0,
    token: 'a token of the tests',
    random: createRandom(1),
    timeoutMs: 1_000,
    giveUpAfterMs: 5_000,
    now: () => new Date(),
    clock: () => performance.now(),
    ...change,
  });
  await run();
  await record.close();
  const lines: (RecordedAck | RecordedRead)[] = [];
  for await (const line of readRecords([record.file])) lines.push(line);
  const of = <T extends string>(type: T) => lines.filter((line) => line.type === type);
  return { totals, acks: of('ack') as RecordedAck[], reads: of('read') as RecordedRead[] };
}

const accept = (response: ServerResponse, data: object, headers: Record<string, string> = {}) =>
  response.writeHead(202, { 'content-type': 'application/json', ...headers }).end(JSON.stringify({ data }));

test('each acknowledgement is recorded with its verdict and the hash of the body that was sent', async () => {
  const bodies = new Map<string, string>();
  handler = (request, body, response) => {
    const id = request.headers['webhook-id'] as string;
    expect(
      silvergate.verify({
        rawBody: Buffer.from(body),
        headers: request.headers,
        secrets: [secrets.silvergate],
        now: new Date(),
      }),
    ).toBe(true);
    accept(response, {
      provider_event_id: id,
      verdict: bodies.has(id) ? 'duplicate' : 'applied',
      order_id: 'o',
      sequence: 1,
    });
    bodies.set(id, body);
  };
  const { totals, acks } = await deliver();
  expect(totals).toMatchObject({ delivered: 200, acknowledged: 200, gaveUp: 0, rejected: {}, retries: {} });
  expect(totals.verdicts).toEqual({ applied: bodies.size, duplicate: 200 - bodies.size });
  expect(acks).toHaveLength(200);
  for (const ack of acks) expect(ack.body_sha256).toBe(bodySha256(bodies.get(ack.provider_event_id)!));
});

test('503, 429, cut connections and time-outs are repeated with the same id and body', async () => {
  const attempts = new Map<string, string[]>();
  handler = (request, body, response) => {
    const id = request.headers['webhook-id'] as string;
    const earlier = attempts.get(id) ?? [];
    attempts.set(id, [...earlier, body]);
    const reason = Number(id.length + Number.parseInt(id.slice(-1), 36)) % 4;
    if (earlier.length > 0) accept(response, { verdict: 'applied', order_id: 'o', sequence: 1 });
    else if (reason === 0) response.writeHead(503, { 'retry-after': '0.05' }).end();
    else if (reason === 1) response.writeHead(429).end();
    else if (reason === 2) request.socket.destroy();
    // Without an answer the client's own limit ends the attempt.
  };
  const { totals, acks } = await deliver({ count: 40, concurrency: 40 });
  expect(totals).toMatchObject({ acknowledged: 40, gaveUp: 0 });
  expect(Object.keys(totals.retries)).toEqual(
    expect.arrayContaining(['429', '503', 'UND_ERR_SOCKET', 'UND_ERR_HEADERS_TIMEOUT']),
  );
  for (const bodies of attempts.values()) expect(new Set(bodies).size).toBe(1);
  expect(acks).toHaveLength(40);
});

test('a refusal is final and not recorded', async () => {
  handler = (_request, _body, response) => response.writeHead(401).end();
  const { totals, acks } = await deliver({ count: 10 });
  expect(totals).toMatchObject({ delivered: 10, acknowledged: 0, rejected: { 401: 10 }, retries: {} });
  expect(acks).toEqual([]);
});

test('what gets no final answer in time is given up and not recorded', async () => {
  handler = (_request, _body, response) => response.writeHead(503).end();
  const { totals, acks } = await deliver({ count: 4, giveUpAfterMs: 200 });
  expect(totals).toMatchObject({ delivered: 4, gaveUp: 4, acknowledged: 0 });
  expect(acks).toEqual([]);
});

test('orders are read back with the token of their write; an older answer is stale', async () => {
  let sequence = 0;
  handler = (request, _body, response) => {
    if (request.method === 'GET') {
      expect(request.headers['x-read-consistency']).toBe('session');
      const written = Number((request.headers['x-consistency-token'] as string).slice(3));
      const seen = written % 10 === 0 ? written - 1 : written;
      response.writeHead(200, { 'x-read-node': 'replica-1' }).end(JSON.stringify({ data: { sequence: seen } }));
      return;
    }
    sequence += 1;
    accept(response, { verdict: 'applied', order_id: 'ord_1', sequence }, { 'x-consistency-token': `v1.${sequence}` });
  };
  const { totals, reads } = await deliver({ count: 100, readShare: 1 });
  expect(totals.reads.count).toBeGreaterThan(80);
  expect(totals.reads).toMatchObject({ failed: 0, byNode: { 'replica-1': totals.reads.count } });
  const stale = reads.filter((read) => read.seen_sequence < read.expected_sequence);
  expect(stale.length).toBeGreaterThan(5);
  expect(totals.reads.stale).toBe(stale.length);
});

test('keeps to its rate', async () => {
  handler = (_request, _body, response) => accept(response, { verdict: 'applied', order_id: 'o', sequence: 1 });
  const started = performance.now();
  await deliver({ count: 100, rate: 200 });
  expect(performance.now() - started).toBeGreaterThan(450);
});

test('ends early when told to, after what is under way', async () => {
  const stop = new AbortController();
  handler = (_request, _body, response) => {
    stop.abort();
    accept(response, { verdict: 'applied', order_id: 'o', sequence: 1 });
  };
  const { totals, acks } = await deliver({ count: 100_000, signal: stop.signal });
  expect(totals.delivered).toBeLessThan(100);
  expect(acks).toHaveLength(totals.acknowledged);
});
