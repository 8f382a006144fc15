import { readFile } from 'node:fs/promises';
import type { Client } from 'pg';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { capabilities, type PartitionInterval, type TopologyName } from '../../kernel/topology.ts';
import { operatorToken } from '../../runtime/access-token.ts';
import { type RunningSystem, startSystem } from '../../runtime/native/system.ts';
import { percentiles } from '../../simulator/driver/histogram.ts';
import { type LoadResult, runLoad } from '../../simulator/driver/run-load.ts';

/** A system with so many days of history. */
export interface HistoryArm {
  topology: TopologyName;
  /** Undefined where nothing is partitioned. */
  partitions: PartitionInterval | undefined;
  days: number;
}

/** What is asked for; each names one order or dispute by its number. */
export const questions = {
  'dispute of an hour': (n: number) => `/api/v1/events?dispute_ids=d_${n * 2}`,
  'dispute of nine days': (n: number) => `/api/v1/events?dispute_ids=d_${n * 2 - 1}`,
  'order with its disputes': (n: number) => `/api/v1/events?order_ids=o_${n * 2}`,
} as const;
export type Question = keyof typeof questions;

export interface HistoryResult extends HistoryArm {
  /** Partitions of `dispute_events`; 0 where it is one table. */
  partitionsOfDisputeEvents: number;
  alone: Record<string, { p50Ms: number; p99Ms: number; failed: number }>;
  together: {
    connections: number;
    perSecond: number;
    p50Ms: number;
    p99Ms: number;
    statuses: Record<string, number>;
    errors: number;
  };
}

const disputesADay = 100;
const connections = 50;

/** Starts the system, fills it, asks with one connection and then with fifty, and stops it. */
export async function measureHistories(
  arm: HistoryArm,
  seconds: number,
  progress: (line: string) => void,
): Promise<HistoryResult> {
  const { topology, partitions, days } = arm;
  const system = await startSystem({
    topology,
    ...(partitions && { partitions }),
    apiEnvironment: { RATE_LIMIT_PER_MINUTE: '100000000' },
  });
  try {
    progress(`${topology} ${partitions ?? ''} with ${days} days: filling`);
    const partitionsOfDisputeEvents = await withClient(system.dsn.admin, (client) => fill(client, arm));
    const alone: HistoryResult['alone'] = {};
    for (const question of Object.keys(questions) as Question[]) {
      await ask(system, days, [question], 1, 1);
      const result = await ask(system, days, [question], 1, seconds);
      const { p50Ms, p99Ms } = percentiles(result.latency);
      alone[question] = { p50Ms, p99Ms, failed: failures(result) };
    }
    const together = await ask(system, days, Object.keys(questions) as Question[], connections, seconds * 2);
    const { p50Ms, p99Ms } = percentiles(together.latency);
    const { statuses, errors, successRate } = together;
    const counts = { statuses, errors: Object.values(errors).reduce((sum, count) => sum + count, 0) };
    return {
      ...arm,
      partitionsOfDisputeEvents,
      alone,
      together: { connections, perSecond: Math.round(successRate), p50Ms, p99Ms, ...counts },
    };
  } finally {
    await system.stop();
  }
}

async function fill(client: Client, { topology, days }: HistoryArm): Promise<number> {
  await client.query("set timezone = 'UTC'; set synchronous_commit = off; set work_mem = '128MB'");
  const partitioned = capabilities(topology).partitionedTables.filter((table) => table.endsWith('_events'));
  for (const table of partitioned)
    await client.query('select ensure_partitions($1, current_date - $2::int, current_date)', [table, days]);
  await client.query(await readFile(new URL('./sql/seed_lives.sql', import.meta.url), 'utf8'), [days, disputesADay]);
  await client.query('vacuum (analyze)');
  await client.query('checkpoint');
  const { rows } = await client.query("select count(*)::int as n from partition_bounds('dispute_events')");
  return rows[0].n;
}

async function ask(
  system: RunningSystem,
  days: number,
  asked: Question[],
  atOnce: number,
  seconds: number,
): Promise<LoadResult> {
  const pairs = (days * disputesADay) / 2;
  let count = 0;
  return runLoad({
    url: system.urls.api,
    token: await operatorToken(system),
    plan: { shape: 'closed', connections: atOnce, durationMs: seconds * 1_000 },
    clock: () => performance.now(),
    next: () => {
      const question = asked[count % asked.length]!;
      // A prime number of steps comes to every dispute, in no order of time.
      const n = 1 + ((count * 7_919) % pairs);
      count += 1;
      return { method: 'GET', path: questions[question](n), headers: [], body: null };
    },
  });
}

function failures({ statuses, errors }: LoadResult): number {
  const refused = Object.entries(statuses).filter(([status]) => status !== '200');
  return [...refused.map(([, count]) => count), ...Object.values(errors)].reduce((sum, count) => sum + count, 0);
}
