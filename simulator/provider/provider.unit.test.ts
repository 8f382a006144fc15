import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type HttpServer, listen } from '../../kernel/http/server.ts';
import { createProviderApp } from './app.ts';
import { createFaults, faultSettings } from './faults.ts';
import { type Ledger, openLedger } from './ledger.ts';

let directory: string;
let path: string;
let ledger: Ledger;
let server: HttpServer;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'provider-test-'));
  path = join(directory, 'ledger.jsonl');
  await start();
});

afterEach(async () => {
  await stop();
  await rm(directory, { recursive: true });
});

async function start(): Promise<void> {
  ledger = await openLedger(path);
  const deps = { ledger, faults: createFaults(7), logger: pino({ level: 'silent' }), now: () => new Date() };
  server = await listen(createProviderApp(deps), { host: '127.0.0.1', port: 0, requestTimeoutMs: 5_000 });
}

async function stop(): Promise<void> {
  await server.close(0);
  await ledger.close();
}

const order = { order_id: 'ord_1', amount_minor: 1_000, currency: 'EUR' };

function send(method: string, route: string, body?: unknown): Promise<Response> {
  return fetch(server.url + route, {
    method,
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(2_000),
  });
}

const capture = (key: string, change: object = {}) =>
  send('POST', '/captures', { idempotency_key: key, ...order, ...change });

async function storedCaptures(): Promise<{ idempotency_key: string; status: string }[]> {
  const text = await (await send('GET', '/ledger')).text();
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

test('the same key and body give the same answer, another body 422', async () => {
  const first = await (await capture('k1')).json();
  expect(first).toMatchObject({ status: 'completed', order_id: 'ord_1', amount_minor: '1000' });
  expect(await (await capture('k1')).json()).toEqual(first);
  expect((await capture('k1', { amount_minor: 999 })).status).toBe(422);
  expect(await (await send('GET', '/captures/k1')).json()).toEqual(first);
  expect((await send('GET', '/captures/k2')).status).toBe(404);
  expect(await storedCaptures()).toHaveLength(1);
});

test('a hundred concurrent captures under one key are one capture', async () => {
  const answers = await Promise.all(Array.from({ length: 100 }, async () => (await capture('k1')).json()));
  expect(new Set(answers.map((answer) => (answer as { capture_id: string }).capture_id)).size).toBe(1);
  expect(await storedCaptures()).toHaveLength(1);
});

test('the ledger survives a restart, and a line that a crash cut off is removed', async () => {
  const first = await (await capture('k1')).json();
  await Promise.all([capture('k2'), capture('k3')]);
  await stop();
  await appendFile(path, '{"type":"capture","idempotency_key":"k4"');
  await start();
  expect(await (await capture('k1')).json()).toEqual(first);
  await capture('k5');
  expect((await storedCaptures()).map((entry) => entry.idempotency_key).sort()).toEqual(['k1', 'k2', 'k3', 'k5']);
  expect((await readFile(path, 'utf8')).trim().split('\n')).toHaveLength(4);
});

test('a damaged line in the middle is not skipped', async () => {
  await stop();
  await appendFile(path, 'garbage\n');
  await expect(openLedger(path)).rejects.toThrow('line 1');
  await rm(path);
  await start();
});

test('a capture may be stored and never answered', async () => {
  await send('PUT', '/faults', { timeout_after_accept_rate: 1 });
  const answer = fetch(`${server.url}/captures`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ idempotency_key: 'k1', ...order }),
    signal: AbortSignal.timeout(300),
  });
  await expect(answer).rejects.toThrow('timeout');
  expect((await send('GET', '/captures/k1')).status).toBe(200);
});

test('errors and resets come before or after the effect', async () => {
  for (const [fault, failed] of [
    ['error_rate', (key: string) => capture(key).then((response) => response.status === 500)],
    [
      'reset_rate',
      (key: string) =>
        capture(key).then(
          () => false,
          () => true,
        ),
    ],
  ] as const) {
    await send('PUT', '/faults', { [fault]: 1 });
    const before = (await storedCaptures()).length;
    for (let i = 0; i < 20; i++) expect(await failed(`${fault}_${i}`)).toBe(true);
    const added = (await storedCaptures()).length - before;
    expect(added).toBeGreaterThan(2);
    expect(added).toBeLessThan(18);
  }
});

test('latency and hanging hold the answer back', async () => {
  await send('PUT', '/faults', { latency_ms: 40, hang_ms: 40 });
  const started = performance.now();
  await capture('k1');
  expect(performance.now() - started).toBeGreaterThanOrEqual(78);
});

test('a declined capture stays declined', async () => {
  await send('PUT', '/faults', { decline_rate: 1 });
  expect(await (await capture('k1')).json()).toMatchObject({ status: 'declined', decline_reason: 'card_declined' });
  await send('PUT', '/faults', {});
  expect(await (await capture('k1')).json()).toMatchObject({ status: 'declined' });
});

test('faults are the same for the same seed, whatever the order of requests', () => {
  const keys = Array.from({ length: 50 }, (_, i) => `k${i}`);
  const draw = (seed: number, order: string[]) => {
    const faults = createFaults(seed);
    faults.set(faultSettings.parse({ jitter_ms: 100, error_rate: 0.3, reset_rate: 0.3 }));
    const plans = new Map(order.map((key) => [key, faults.plan('capture', key)]));
    return keys.map((key) => plans.get(key));
  };
  expect(draw(1, keys)).toEqual(draw(1, keys.toReversed()));
  expect(draw(1, keys)).not.toEqual(draw(2, keys));
});

test.each([{ error_rate: 2 }, { latency_ms: -1 }, { unknown: 1 }])('faults %j are refused', async (faults) => {
  expect((await send('PUT', '/faults', faults)).status).toBe(400);
});

test.each([{ amount_minor: 0 }, { amount_minor: 1.5 }, { currency: 'EURO' }, { order_id: '' }, { extra: 1 }])(
  'a capture with %j is refused',
  async (change) => {
    expect((await capture('k1', change)).status).toBe(400);
  },
);

test('a representment stores the digests of its files once per dispute', async () => {
  const body = {
    dispute_id: 'dp_1',
    evidence: [
      {
        evidence_id: 'e1',
        fields: { note: 'sent' },
        files: [{ name: 'a.txt', content_type: 'text/plain', content_base64: 'YQ==' }],
      },
    ],
  };
  const first = await (await send('POST', '/representments', body)).json();
  expect(first).toMatchObject({
    dispute_id: 'dp_1',
    evidence_ids: ['e1'],
    files: [{ name: 'a.txt', sha256: expect.stringMatching(/^ca978112/) }],
  });
  expect(await (await send('POST', '/representments', body)).json()).toEqual(first);
  expect((await send('POST', '/representments', { ...body, evidence: [] })).status).toBe(422);
  expect(await (await send('GET', '/representments/dp_1')).json()).toEqual(first);
});

test('the process serves, and ends on SIGTERM though a request hangs', async () => {
  const own = join(directory, 'process.jsonl');
  const child = spawn(process.execPath, ['simulator/provider/main.ts'], {
    env: { PATH: process.env.PATH, PROVIDER_PORT: '0', PROVIDER_LEDGER: own },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    while (!output.includes('"listening"')) await once(child.stdout, 'data');
    const url = /"url":"([^"]+)"/.exec(output)![1]!;
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    const json = { 'content-type': 'application/json' };
    await fetch(`${url}/faults`, { method: 'PUT', headers: json, body: '{"timeout_after_accept_rate":1}' });
    const hanging = fetch(`${url}/captures`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ idempotency_key: 'k1', ...order }),
    }).catch(() => 'cut');
    while (!(await (await fetch(`${url}/ledger`)).text())) await new Promise((resolve) => setTimeout(resolve, 10));
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(await hanging).toBe('cut');
    expect(await readFile(own, 'utf8')).toContain('"k1"');
  } finally {
    child.kill('SIGKILL');
  }
});
