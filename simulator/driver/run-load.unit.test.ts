import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createConnections, type PreparedRequest } from './connections.ts';
import { percentiles } from './histogram.ts';
import { createArrivals, type LoadPlan } from './plan.ts';
import { type RunLoadOptions, runLoad } from './run-load.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const post: PreparedRequest = { method: 'POST', path: '/x', headers: ['content-type', 'application/json'], body: '{}' };
const clock = () => performance.now();
const load = (url: string, plan: LoadPlan, more: Partial<RunLoadOptions> = {}) =>
  runLoad({ url, plan, next: () => post, clock, ...more });

describe('arrivals', () => {
  const starts = (plan: Parameters<typeof createArrivals>[0], random = Math.random) => {
    const next = createArrivals(plan, random);
    const times: number[] = [];
    for (let at = next(); at < plan.durationMs; at = next()) times.push(at);
    return times;
  };

  test('uniform arrivals are equally spaced', () => {
    expect(starts({ shape: 'constant', rate: 4, durationMs: 1_000, arrivals: 'uniform' })).toEqual([0, 250, 500, 750]);
  });

  test('Poisson arrivals have the planned mean and exponential gaps', () => {
    const times = starts({ shape: 'constant', rate: 1_000, durationMs: 60_000 });
    expect(Math.abs(times.length - 60_000)).toBeLessThan(1_500);
    const gaps = times.slice(1).map((time, index) => time - times[index]!);
    const overMean = gaps.filter((gap) => gap > 1).length / gaps.length;
    expect(overMean).toBeCloseTo(Math.exp(-1), 1);
  });

  test('a ramp offers the mean of its ends, and most of it late', () => {
    const times = starts({ shape: 'ramp', fromRate: 100, toRate: 300, durationMs: 10_000, arrivals: 'uniform' });
    expect(Math.abs(times.length - 2_000)).toBeLessThan(10);
    expect(times.filter((time) => time < 5_000).length).toBeLessThan(800);
  });
});

describe('open model', () => {
  test('keeps the rate and says how late it was', async () => {
    const url = await serve((_request, response) => response.end('ok'));
    const result = await load(url, { shape: 'constant', rate: 1_000, durationMs: 1_500, arrivals: 'uniform' });
    expect(result.offered).toBe(1_500);
    expect(result.answered).toBe(1_500);
    expect(result.statuses).toEqual({ 200: 1_500 });
    expect(result.windows[0]!.offered).toBe(1_000);
    expect(result.generator.lateness.totalCount).toBe(1_500);
    expect(result.generator.cpuUserMs).toBeGreaterThan(0);
  });

  test('a server that stalls for a second shows in the percentiles: no coordinated omission', async () => {
    let stalledUntil = 0;
    const waiting: (() => void)[] = [];
    const url = await serve((_request, response) => {
      if (performance.now() < stalledUntil) waiting.push(() => response.end());
      else response.end();
    });
    const stall = setTimeout(() => {
      stalledUntil = performance.now() + 1_000;
      setTimeout(
        () =>
          waiting.splice(0).forEach((answer) => {
            answer();
          }),
        1_000,
      );
    }, 500);
    const result = await load(url, { shape: 'constant', rate: 200, durationMs: 2_500 }, { maxConnections: 4 });
    clearTimeout(stall);
    // Two fifths of the requests were meant to start during the stall. A client that waited for each answer would have
    // sent four of them.
    expect(percentiles(result.latency).p99Ms).toBeGreaterThan(900);
    expect(percentiles(result.latency).p90Ms).toBeGreaterThan(600);
    expect(result.answered).toBe(result.offered);
    expect(result.generator.waited).toBeGreaterThan(100);
    expect(result.generator.maxBusyConnections).toBe(4);
    expect(percentiles(result.generator.lateness).p50Ms).toBeLessThan(50);
  });

  test('counts answers by status and failures by reason', async () => {
    let count = 0;
    const url = await serve((request, response) => {
      count += 1;
      if (count % 4 === 0) request.socket.destroy();
      else response.writeHead(count % 4 === 1 ? 503 : 202).end();
    });
    const errors: string[] = [];
    const result = await load(
      url,
      { shape: 'constant', rate: 200, durationMs: 400, arrivals: 'uniform' },
      { maxConnections: 1, onError: (_request, code) => errors.push(code) },
    );
    expect(result.statuses[503]! + result.statuses[202]!).toBe(result.answered);
    expect(result.answered + errors.length).toBe(80);
    expect(errors.length).toBeGreaterThan(10);
    expect(Object.values(result.errors).reduce((sum, n) => sum + n)).toBe(errors.length);
    expect(result.windows[0]!.failed).toBe(errors.length + result.statuses[503]!);
    expect(result.successRate).toBeCloseTo(result.statuses[202]! / 0.4);
  });

  test('a server that is not there', async () => {
    const url = await serve(() => {});
    await new Promise((resolve) => servers.pop()!.close(resolve));
    const result = await load(url, { shape: 'constant', rate: 100, durationMs: 200, arrivals: 'uniform' });
    expect(result.errors).toEqual({ ECONNREFUSED: 20 });
    expect(result.answered).toBe(0);
  });

  test('a server that never answers: bounded in time and in memory', async () => {
    const url = await serve(() => {});
    const started = performance.now();
    const result = await load(
      url,
      { shape: 'constant', rate: 200, durationMs: 500, arrivals: 'uniform' },
      { maxConnections: 2, maxWaiting: 10, timeoutMs: 1_000 },
    );
    expect(performance.now() - started).toBeLessThan(6_000);
    expect(result.offered).toBe(100);
    expect(result.errors.generator_queue_full).toBeGreaterThanOrEqual(80);
    expect(result.generator.maxWaiting).toBe(10);
    expect(Object.values(result.errors).reduce((sum, n) => sum + n)).toBe(100);
  });

  test('ends when there is nothing more to send', async () => {
    const url = await serve((_request, response) => response.end());
    let left = 5;
    const next = () => (left-- > 0 ? post : null);
    const result = await load(url, { shape: 'constant', rate: 1_000, durationMs: 60_000 }, { next });
    expect(result.answered).toBe(5);
  });
});

describe('closed model', () => {
  test('has at most one request under way on each connection', async () => {
    let busy = 0;
    let maxBusy = 0;
    const url = await serve((_request, response) => {
      maxBusy = Math.max(maxBusy, ++busy);
      setTimeout(() => {
        busy -= 1;
        response.end();
      }, 5);
    });
    const result = await load(url, { shape: 'closed', connections: 3, durationMs: 3_000 });
    expect(maxBusy).toBe(3);
    expect(result.answered).toBe(result.offered);
    expect(result.answered).toBeGreaterThan(30);
  });

  test('survives a server that refuses', async () => {
    const url = await serve(() => {});
    await new Promise((resolve) => servers.pop()!.close(resolve));
    const result = await load(url, { shape: 'closed', connections: 2, durationMs: 100 });
    expect(result.answered).toBe(0);
    expect(result.errors.ECONNREFUSED).toBeLessThan(30);
  });
});

test('answers carry status, headers and, when asked for, the body', async () => {
  const url = await serve((_request, response) => response.writeHead(202, { 'X-Token': 'v1.a' }).end('{"é":1}'));
  const connections = createConnections({ url, max: 1, timeoutMs: 1_000, readBodies: true });
  const answer = await new Promise((resolve) => connections.send(post, resolve));
  await connections.close();
  expect(answer).toMatchObject({ status: 202, body: '{"é":1}', headers: { 'x-token': 'v1.a' } });
});

test.each([
  { shape: 'constant', rate: 0, durationMs: 1 },
  { shape: 'ramp', fromRate: 1, toRate: Number.NaN, durationMs: 1 },
  { shape: 'closed', connections: 1, durationMs: -1 },
] as LoadPlan[])('%j is refused', async (plan) => {
  await expect(load('http://127.0.0.1:1', plan)).rejects.toThrow(RangeError);
});
