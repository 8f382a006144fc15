import { Client } from 'pg';
import { parseLsn } from '../../../kernel/postgres/lsn.ts';
import { withClient } from '../../../kernel/postgres/with-client.ts';
import { capabilities } from '../../../kernel/topology.ts';
import { waitUntil } from '../../../kernel/wait.ts';
import type { PostgresServer } from '../../../runtime/native/postgres.ts';
import { median } from '../../statistics/summary.ts';
import { withDatabase } from '../database-url.ts';
import type { Arm, ScenarioOptions, ScenarioSession } from '../scenario.ts';
import { type ColdCache, coldCache } from './cold.ts';
import type { TimelineData, TimelineResult } from './data.ts';
import {
  createDataset,
  type DatasetSize,
  databaseName,
  datasetSize,
  monthDays,
  type PhysicalOrder,
  physicalOrders,
} from './dataset.ts';
import { costOf, planText, type QueryCost } from './explain.ts';
import { type TimelineQuery, timelineQueries } from './queries.ts';

/** Each warm query runs once to warm up and then this often; the median counts. */
const warmRuns = 3;

interface Target {
  order: PhysicalOrder;
  client: Client;
  cold: ColdCache;
}

export async function openTimeline(arm: Arm, options: ScenarioOptions): Promise<ScenarioSession<TimelineData>> {
  const size = datasetSize(options.scale);
  const startedAt = performance.now();
  for (const order of physicalOrders) {
    options.signal.throwIfAborted();
    options.progress(`${arm.name}: ${size.events} dispute events in ${order} order`);
    await createDataset(arm, order, size);
  }
  const seeding = (performance.now() - startedAt) / 1e3;
  const { server, node } = await readingNode(arm);
  const targets: Target[] = [];
  for (const order of physicalOrders) targets.push(await openTarget(server, order));
  // The two orders hold the same rows.
  const queries = await timelineQueries(targets[0]!.client, size);
  return {
    measure: async (round) => {
      const results: TimelineResult[] = [];
      const plans: TimelineData['plans'] = [];
      for (const target of targets) {
        for (const query of queries) {
          options.signal.throwIfAborted();
          results.push(...(await measureQuery(target, query)));
          // Plans don't change between rounds of the same data: one copy is enough to read.
          if (round === 1) plans.push(await explainQuery(target, query));
        }
      }
      const cold = targets[0]!.cold.description ?? 'not measured: needs PostgreSQL 17 with pg_buffercache';
      return { ...describeSize(size), node, cold, results, plans, seconds: { seeding } };
    },
    close: async () => {
      for (const { client } of targets) await client.end();
    },
  };
}

function describeSize(size: DatasetSize) {
  return { events: size.events, disputes: size.disputes, days: monthDays };
}

/** Where the topology sends its reads; a replica has replayed the data set when this returns. */
async function readingNode(arm: Arm): Promise<{ server: PostgresServer; node: 'primary' | 'replica' }> {
  const [replica] = arm.system.replicas;
  if (!capabilities(arm.topology).readsFromReplica || !replica) return { server: arm.system.primary, node: 'primary' };
  const floor = await readLsn(arm.system.primary, 'select pg_current_wal_lsn() as lsn');
  const caughtUp = async () => (await readLsn(replica, 'select pg_last_wal_replay_lsn() as lsn')) >= floor;
  if (!(await waitUntil(caughtUp, { timeoutMs: 60_000 }))) {
    throw new Error('the replica did not replay the data set within a minute');
  }
  return { server: replica, node: 'replica' };
}

async function readLsn(server: PostgresServer, query: string): Promise<bigint> {
  const result = await withClient(server.dsn(), (client) => client.query<{ lsn: string }>(query));
  return parseLsn(result.rows[0]!.lsn) ?? 0n;
}

async function openTarget(server: PostgresServer, order: PhysicalOrder): Promise<Target> {
  const client = new Client({ connectionString: withDatabase(server.dsn(), databaseName(order)) });
  // The event alone must not end the process: the query in hand fails anyway.
  client.on('error', () => {});
  await client.connect();
  // One process answers, so that pages and times mean the same on every machine. Compiling a query would cost more
  // than it saves here.
  await client.query("set timezone = 'UTC'; set max_parallel_workers_per_gather = 0; set jit = off");
  return { order, client, cold: await coldCache(client, server.dataDirectory) };
}

async function measureQuery(target: Target, query: TimelineQuery): Promise<TimelineResult[]> {
  const { client, order, cold } = target;
  await client.query(`set enable_partition_pruning = ${query.pruning ? 'on' : 'off'}`);
  const describe = (cache: 'warm' | 'cold', cost: QueryCost): TimelineResult => ({
    query: query.name,
    order,
    cache,
    pruning: query.pruning,
    ...cost,
  });
  const results: TimelineResult[] = [];
  if (query.cold && cold.description !== null) {
    await cold.empty();
    results.push(describe('cold', await costOf(client, query.text, 'dispute_events')));
  }
  await costOf(client, query.text, 'dispute_events');
  const runs: QueryCost[] = [];
  for (let run = 0; run < warmRuns; run += 1) runs.push(await costOf(client, query.text, 'dispute_events'));
  const typical = median(runs.map((run) => run.executionMs));
  results.push(describe('warm', runs.find((run) => run.executionMs === typical) ?? runs[0]!));
  return results;
}

async function explainQuery({ client, order }: Target, query: TimelineQuery) {
  return { query: query.name, order, plan: await planText(client, query.text) };
}
