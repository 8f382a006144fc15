import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { withClient } from '../../../kernel/postgres/with-client.ts';
import type { Arm } from '../scenario.ts';
import type { TimelineData, TimelineResult } from './data.ts';
import { databaseName, physicalOrders } from './dataset.ts';
import { readCost } from './explain.ts';
import { timeline } from './timeline.ts';

const options = {
  seed: 1,
  run: 'test',
  startTimeMs: 0,
  scale: 0.01,
  signal: new AbortController().signal,
  progress: () => {},
};
const found = new Map<string, TimelineData>();

/** The databases have fixed names on their server, so the arms are measured in turn and removed at once. */
beforeAll(async () => {
  const dsn = inject('postgresDsn');
  const primary = { dsn: () => dsn, dataDirectory: '/nowhere' };
  for (const topology of ['plain', 'partitioned'] as const) {
    const system = { dsn: { admin: dsn }, primary, replicas: [] };
    const session = await timeline.open(
      { name: topology, topology, recordFile: '', system } as unknown as Arm,
      options,
    );
    const data = await session.measure(1);
    expect(timeline.judge(data)).toEqual([]);
    found.set(topology, data);
    await session.close();
    await dropDatabases();
  }
});
afterAll(dropDatabases);

async function dropDatabases(): Promise<void> {
  await withClient(inject('postgresDsn'), async (client) => {
    for (const order of physicalOrders) {
      await client.query(`drop database if exists ${databaseName(order)} with (force)`);
    }
  });
}

function results(topology: string, wanted: Partial<TimelineResult>): TimelineResult[] {
  const all = found.get(topology)!.results;
  return all.filter((result) => Object.entries(wanted).every(([key, value]) => result[key as never] === value));
}

test('every arm and order answers the same questions with the same rows', () => {
  const answers = (topology: string) => results(topology, { cache: 'warm' }).map(({ query, rows }) => [query, rows]);
  expect(answers('plain')).toEqual(answers('partitioned'));
  expect(answers('plain')).toHaveLength(12);
  const rows = Object.fromEntries(answers('plain'));
  expect([rows['one dispute’s history'], rows['one dispute’s history, unbounded']]).toEqual([5, 5]);
});

test('a range scans its own days only, unless pruning is off or the question names no time', () => {
  const scanned = (query: string) => results('partitioned', { query, cache: 'warm', order: 'random' })[0]!.relations;
  expect(scanned('one day')).toBe(1);
  expect(scanned('five days')).toBe(5);
  expect(scanned('a month')).toBe(30);
  expect(scanned('five days, pruning off')).toBeGreaterThan(30);
  // A dispute lives for nine days at most.
  expect(scanned('one dispute’s history')).toBeLessThanOrEqual(11);
  expect(scanned('one dispute’s history, unbounded')).toBeGreaterThan(30);
  expect(new Set(results('plain', {}).map(({ relations }) => relations))).toEqual(new Set([1]));
});

test('a cold query reads its pages and a warm one finds them', () => {
  const cold = results('plain', { cache: 'cold', query: 'five days', order: 'random' })[0]!;
  const warm = results('plain', { cache: 'warm', query: 'five days', order: 'random' })[0]!;
  expect(cold.pagesRead).toBeGreaterThan(10);
  expect(warm.pagesRead).toBe(0);
  expect(warm.pagesHit).toBeGreaterThanOrEqual(cold.pagesRead);
  expect(found.get('plain')!.cold).toContain('shared buffers only');
});

test('every query has its plan', () => {
  const plans = found.get('partitioned')!.plans;
  expect(plans).toHaveLength(12);
  for (const { plan } of plans) expect(plan).toMatch(/dispute_events/);
});

test('relations that the plan names and never ran do not count as scanned', () => {
  const leaf = (name: string, loops: number) => ({
    'Node Type': 'Seq Scan',
    'Relation Name': name,
    'Actual Rows': 1.5,
    'Actual Loops': loops,
    'Shared Hit Blocks': 1,
    'Shared Read Blocks': 0,
  });
  const plan = {
    ...leaf('', 2),
    Plans: [leaf('dispute_events_p1', 1), leaf('dispute_events_p2', 0), leaf('disputes', 1)],
  };
  const cost = readCost({ Plan: plan, 'Planning Time': 1, 'Execution Time': 2 }, 'dispute_events');
  expect(cost).toMatchObject({ relations: 1, rows: 3, executionMs: 2, planningMs: 1 });
});
