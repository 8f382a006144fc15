import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Client } from 'pg';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { type Capabilities, capabilities, type TopologyName } from '../../kernel/topology.ts';
import { MissingPartError } from '../../runtime/native/missing-part.ts';
import { startSystem } from '../../runtime/native/system.ts';
import { serverSettings } from '../measure/environment.ts';
import { topStatements } from '../measure/server-counters.ts';
import { serverDsns } from '../measure/servers.ts';
import type { Arm } from '../scenarios/scenario.ts';
import type { ArmResult } from '../schema/run.ts';

/** Shared buffers of all servers of an arm together. */
const memoryBudgetMb = 256;

export interface Arms {
  running: Arm[];
  /** What this machine can't run, with the reason. */
  absent: { name: string; reason: string }[];
}

export interface ArmsOptions {
  topologies: readonly TopologyName[];
  signal: AbortSignal;
  note: (line: string) => void;
  /** Called for each system as soon as it runs, so that it is stopped whatever happens next. */
  onStop: (stop: () => Promise<void>) => void;
}

/**
 * Starts one system for each topology, all with the same settings and the same memory, which several servers share.
 * @throws Error when a topology that this machine should be able to run does not start.
 */
export async function startArms(options: ArmsOptions): Promise<Arms> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'lab-compare-'));
  options.onStop(() => rm(directory, { recursive: true, force: true }));
  const running: Arm[] = [];
  const absent: { name: string; reason: string }[] = [];
  for (const topology of options.topologies) {
    try {
      const system = await startSystem({
        topology,
        settings: { shared_buffers: `${Math.floor(memoryBudgetMb / serversOf(capabilities(topology)))}MB` },
        apiEnvironment: { LOG_LEVEL: 'warn' },
        progress: (line) => options.note(`${topology}: ${line}`),
        signal: options.signal,
      });
      options.onStop(() => system.stop());
      running.push({ name: topology, topology, system, recordFile: path.join(directory, `${topology}.jsonl`) });
    } catch (error) {
      if (!(error instanceof MissingPartError)) throw error;
      absent.push({ name: topology, reason: error.message });
    }
  }
  return { running, absent };
}

/** The primary or the coordinator, the workers behind it, and the replica that reads need. */
function serversOf({ workers, replicas }: Capabilities): number {
  return 1 + workers + (replicas === 'required' ? 1 : 0);
}

/** What an arm is made of, in words for the report. */
function describeArm(topology: TopologyName): string {
  const { partitionedTables, dedupe, readsFromReplica, workers, shardKey } = capabilities(topology);
  const tables = partitionedTables.length > 0 ? 'daily partitions' : 'ordinary tables';
  const keys = dedupe === 'key_table' ? 'dedupe keys in a table of their own' : 'dedupe by a unique index';
  const replica = readsFromReplica ? ', an asynchronous streaming replica for reads' : '';
  const shards = workers > 0 ? `, sharded by ${shardKey}: a coordinator and its workers` : '';
  return `${tables}, ${keys}${replica}${shards}`;
}

/** What is known of an arm at the end of a run, its numbers and verdict aside. */
export type Inspection = Pick<
  ArmResult,
  'description' | 'postgres' | 'memory' | 'settings' | 'dataset' | 'topStatements'
>;

export async function inspectArm({ system, topology }: Arm): Promise<Inspection> {
  return withClient(system.dsn.admin, async (client) => {
    const counted = await client.query<{ n: string }>('select count(*) as n from webhook_deliveries');
    const stores = await Promise.all(serverDsns(system).map((dsn) => withClient(dsn, readStore)));
    const sum = (of: (store: Store) => number) => stores.reduce((total, store) => total + of(store), 0);
    const databaseBytes = sum(({ bytes }) => bytes);
    const sharedBuffersBytes = sum(({ buffers }) => buffers);
    const hits = sum(({ hit }) => hit);
    const reads = sum(({ read }) => read);
    return {
      description: describeArm(topology),
      postgres: { kind: system.postgres.kind, version: system.postgres.version },
      memory: describeMemory(stores[0]!, stores.length + system.replicas.length),
      settings: await serverSettings(client),
      dataset: {
        deliveries: Number(counted.rows[0]!.n),
        databaseBytes,
        sharedBuffersBytes,
        cacheRatio: sharedBuffersBytes / databaseBytes,
        cacheHitRatio: hits / Math.max(1, hits + reads),
      },
      topStatements: await topStatements(client),
    };
  });
}

function describeMemory(store: Store, servers: number): string {
  const each = `${Math.round(store.buffers / 2 ** 20)} MB shared buffers`;
  return servers === 1 ? each : `${servers} servers with ${each} each`;
}

interface Store {
  bytes: number;
  /** Shared buffers in bytes. */
  buffers: number;
  hit: number;
  read: number;
}

async function readStore(client: Client): Promise<Store> {
  const { rows } = await client.query<Record<keyof Store, string>>(`
    select
      pg_database_size(current_database()) as bytes,
      pg_size_bytes(current_setting('shared_buffers')) as buffers,
      blks_hit as hit,
      blks_read as read
    from pg_stat_database
    where datname = current_database()`);
  const { bytes, buffers, hit, read } = rows[0]!;
  return { bytes: Number(bytes), buffers: Number(buffers), hit: Number(hit), read: Number(read) };
}
