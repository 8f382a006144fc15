import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Capabilities, capabilities, type TopologyName } from '../../kernel/topology.ts';
import { MissingPartError } from '../../lab/native/missing-part.ts';
import { startSystem } from '../../lab/native/system.ts';
import { withClient } from '../../lab/native/with-client.ts';
import { serverSettings } from '../measure/environment.ts';
import { topStatements } from '../measure/server-counters.ts';
import type { Arm } from '../scenarios/scenario.ts';
import type { ArmResult } from '../schema/run.ts';

/** Shared buffers of all servers of an arm together. */
const memoryBudgetMb = 256;

/** Plans, caches, WAL and dataset are read from one server: of a cluster, that would be the one without the data. */
const notComparedSharded = 'the comparison measures one database server so far; docs/results/citus.md has figures';

export interface Arms {
  running: Arm[];
  /** What this machine can't run, with the reason. */
  absent: { name: string; reason: string }[];
  /** Stops every system and removes the records. */
  stop(): Promise<void>;
}

export interface ArmsOptions {
  topologies: readonly TopologyName[];
  signal: AbortSignal;
  note: (line: string) => void;
  /** Called for each system as soon as it runs, so that it is stopped whatever happens next. */
  onStop: (stop: () => Promise<void>) => void;
}

/**
 * Starts one system for each topology, all with the same settings and the same memory, which two servers share.
 * @throws Error when a topology that this machine should be able to run does not start.
 */
export async function startArms(options: ArmsOptions): Promise<Pick<Arms, 'running' | 'absent'>> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'lab-compare-'));
  options.onStop(() => rm(directory, { recursive: true, force: true }));
  const running: Arm[] = [];
  const absent: { name: string; reason: string }[] = [];
  for (const topology of options.topologies) {
    if (capabilities(topology).shardKey) {
      absent.push({ name: topology, reason: notComparedSharded });
      continue;
    }
    try {
      const system = await startSystem({
        topology,
        settings: { shared_buffers: `${memoryBudgetMb / serversOf(capabilities(topology))}MB` },
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

function serversOf(topology: Capabilities): number {
  return topology.readsFromReplica ? 2 : 1;
}

/** What an arm is made of, in words for the report. */
function describeArm(topology: TopologyName): string {
  const { partitionedTables, dedupe, readsFromReplica } = capabilities(topology);
  const tables = partitionedTables.length > 0 ? 'daily partitions' : 'ordinary tables';
  const keys = dedupe === 'key_table' ? 'dedupe keys in a table of their own' : 'dedupe by a unique index';
  return `${tables}, ${keys}${readsFromReplica ? ', an asynchronous streaming replica for reads' : ''}`;
}

/** What is known of an arm at the end of a run, its numbers and verdict aside. */
export async function inspectArm(
  arm: Arm,
): Promise<Pick<ArmResult, 'description' | 'postgres' | 'memory' | 'settings' | 'dataset' | 'topStatements'>> {
  const { system, topology } = arm;
  return withClient(system.dsn.admin, async (client) => {
    const result = await client.query<Record<'deliveries' | 'bytes' | 'buffers' | 'hit' | 'read', string>>(`
      select
        (select count(*) from webhook_deliveries) as deliveries,
        pg_database_size(current_database()) as bytes,
        pg_size_bytes(current_setting('shared_buffers')) as buffers,
        blks_hit as hit,
        blks_read as read
      from pg_stat_database
      where datname = current_database()`);
    const row = result.rows[0]!;
    const servers = 1 + system.replicas.length;
    const each = `${Math.round(Number(row.buffers) / 2 ** 20)} MB shared buffers`;
    return {
      description: describeArm(topology),
      postgres: system.postgres,
      memory: servers === 1 ? each : `${servers} servers with ${each} each`,
      settings: await serverSettings(client),
      dataset: {
        deliveries: Number(row.deliveries),
        databaseBytes: Number(row.bytes),
        sharedBuffersBytes: Number(row.buffers),
        cacheRatio: Number(row.buffers) / Number(row.bytes),
        cacheHitRatio: Number(row.hit) / Math.max(1, Number(row.hit) + Number(row.read)),
      },
      topStatements: await topStatements(client),
    };
  });
}
