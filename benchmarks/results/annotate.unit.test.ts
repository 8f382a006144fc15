import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { benchmarkTag } from '../../grafana/page.ts';
import { sampleRun } from '../../test/benchmarks/sample-run.ts';
import { type Annotation, annotate, annotationsOf } from './annotate.ts';

const document = sampleRun([{ name: 'plain', rates: [900, 950], fiveDaysMs: [120, 40] }]);

/** What of Grafana's HTTP API the command uses: a list by tags, and adding to it. */
let grafana: Server;
let stored: Annotation[];
let seen: (string | undefined)[];
beforeEach(async () => {
  stored = [];
  seen = [];
  grafana = createServer((request, response) => {
    const url = new URL(request.url!, 'http://localhost');
    seen.push(request.headers.authorization);
    if (url.pathname !== '/sub/api/annotations') return void response.writeHead(404).end('{}');
    if (seen.at(-1) === undefined) return void response.writeHead(401).end('{"message":"Unauthorized"}');
    const tags = url.searchParams.getAll('tags');
    if (request.method === 'GET') {
      return void response.end(JSON.stringify(stored.filter((one) => tags.every((tag) => one.tags.includes(tag)))));
    }
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      stored.push(JSON.parse(body));
      response.end('{"message":"Annotation added","id":1}');
    });
  });
  await new Promise<void>((resolve) => grafana.listen(0, '127.0.0.1', resolve));
});
afterEach(() => new Promise((resolve) => grafana.close(resolve)));

const url = (credentials: string): URL =>
  new URL(`http://${credentials}127.0.0.1:${(grafana.address() as AddressInfo).port}/sub/`);

test('one annotation for each turn, over the time that it took', () => {
  const annotations = annotationsOf(document);
  expect(annotations).toHaveLength(document.measurements.length);
  const [first] = document.measurements;
  expect(annotations[0]).toMatchObject({
    time: Date.parse(first!.startedAt),
    timeEnd: Date.parse(first!.startedAt) + first!.durationS * 1000,
    tags: [benchmarkTag, `run:${document.id}`, first!.scenario, first!.arm],
  });
});

test('a discarded turn says why', () => {
  const [measurement, ...rest] = document.measurements;
  const discarded = { ...measurement!, verdict: 'DISCARDED' as const, reasons: ['the generator was late'] };
  expect(annotationsOf({ ...document, measurements: [discarded, ...rest] })[0]!.text).toContain(
    'DISCARDED: the generator was late',
  );
});

test('they are written once', async () => {
  expect(await annotate(url('admin:se%2Fcret@'), document)).toBe(document.measurements.length);
  expect(stored).toEqual(annotationsOf(document));
  expect(await annotate(url('admin:se%2Fcret@'), document)).toBe(0);
  expect(stored).toHaveLength(document.measurements.length);
  expect(seen[0]).toBe(`Basic ${Buffer.from('admin:se/cret').toString('base64')}`);
});

test('a token serves as well; without either, Grafana’s refusal is passed on', async () => {
  await annotate(url(':glsa_x@'), document);
  expect(seen[0]).toBe('Bearer glsa_x');
  await expect(annotate(url(''), document)).rejects.toThrow('Grafana answered 401');
});
