import type { Client } from 'pg';
import { isolateUser, listNodes, listShards, moveShard, readSkew, rebalance } from '../citus/shards.ts';
import { identifier } from '../kernel/contract/fields.ts';
import { withClient } from '../kernel/postgres/with-client.ts';
import { capabilities } from '../kernel/topology.ts';
import { UsageError } from '../runtime/usage-error.ts';
import type { ShardFlags } from './commands/shards.ts';
import { findDatabase } from './database-target.ts';
import { print, printJson, progress, table } from './output.ts';

/** `lab shards list` */
export async function list(flags: ShardFlags): Promise<void> {
  const { shards, skew } = await onCluster(flags, async (client) => {
    const found = await listShards(client);
    return { shards: found, skew: await readSkew(client, found) };
  });
  if (flags.json) return printJson({ shards, skew });
  const ranges = shards.map((shard) => [
    ...[shard.shardId, shard.node, `${shard.minHash} – ${shard.maxHash}`],
    ...[String(shard.orders), megabytes(shard.bytes)],
  ]);
  print(table(['shard', 'worker', 'hashes', 'orders', 'size'], ranges));
  const nodes = skew.nodes.map((node) => [
    ...[node.node, String(node.shards), String(node.orders), megabytes(node.bytes)],
  ]);
  print(`\n${table(['worker', 'shards', 'orders', 'size'], nodes)}`);
  print(
    `\nThe fullest shard has ${skew.shardRatio.toFixed(2)} times the mean of orders, ` +
      `the fullest worker ${skew.nodeRatio.toFixed(2)} times.`,
  );
  const users = skew.topUsers.map((user) => `${user.userId} (${(100 * user.share).toFixed(1)} %)`);
  if (users.length > 0) print(`Users with the most deliveries: ${users.join(', ')}.`);
}

/** `lab shards rebalance` */
export async function rebalanceShards(flags: ShardFlags): Promise<void> {
  const started = performance.now();
  const moves = await onCluster(flags, rebalance);
  const seconds = (performance.now() - started) / 1000;
  if (flags.json) return printJson({ moves, seconds });
  if (moves.length === 0) return print('The shards lie evenly: nothing was moved.');
  print(
    table(
      ['shard', 'from', 'to'],
      moves.map((move) => [move.shardId, move.from, move.to]),
    ),
  );
  print(`\nMoved in ${seconds.toFixed(1)} s.`);
}

/** `lab shards move` */
export async function move(shardId: string, flags: ShardFlags & { to: string }): Promise<void> {
  if (!/^\d+$/.test(shardId)) throw new UsageError('A shard is named by its number: see lab shards list.');
  const started = performance.now();
  await onCluster(flags, async (client) => {
    await checkNode(client, flags.to);
    await moveShard(client, shardId, flags.to);
  });
  const seconds = (performance.now() - started) / 1000;
  if (flags.json) printJson({ shardId, to: flags.to, seconds });
  else print(`Shard ${shardId} lies on ${flags.to} now; moving it took ${seconds.toFixed(1)} s.`);
}

/** `lab shards isolate` */
export async function isolate(userId: string, flags: ShardFlags & { to?: string }): Promise<void> {
  if (!identifier.safeParse(userId).success) throw new UsageError(`${JSON.stringify(userId)} is no user_id.`);
  const shardId = await onCluster(flags, async (client) => {
    // First: the split can't be undone.
    if (flags.to !== undefined) await checkNode(client, flags.to);
    const own = await isolateUser(client, userId);
    progress(`shard ${own} is ${userId}'s`);
    if (flags.to !== undefined) await moveShard(client, own, flags.to);
    return own;
  });
  if (flags.json) printJson({ userId, shardId });
  else print(`${userId} has shard ${shardId} for itself${flags.to === undefined ? '' : `, on ${flags.to}`}.`);
}

async function checkNode(client: Client, to: string): Promise<void> {
  const nodes = await listNodes(client);
  if (!nodes.includes(to)) throw new UsageError(`There is no worker ${to}. Choose one of ${nodes.join(', ')}.`);
}

async function onCluster<T>(flags: ShardFlags, work: (client: Client) => Promise<T>): Promise<T> {
  const { dsn, run } = await findDatabase(flags);
  if (run && !capabilities(run.topology).shardKey) {
    throw new UsageError(`Run ${run.id} is ${run.topology}, which has no shards. Start one with: lab up citus`);
  }
  return withClient(dsn, work);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
