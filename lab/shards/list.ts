import { listShards, readSkew, type Shard, type Skew } from '../../citus/shards.ts';
import { print, printJson, table } from '../output.ts';
import type { ShardFlags } from './flags.ts';
import { onCluster } from './on-cluster.ts';

/** `lab shards list` */
export async function list(flags: ShardFlags): Promise<void> {
  const { shards, skew } = await onCluster(flags, async (client) => {
    const found = await listShards(client);
    return { shards: found, skew: await readSkew(client, found) };
  });
  if (flags.json) return printJson({ shards, skew });
  print(table(['shard', 'worker', 'hashes', 'orders', 'size'], shards.map(describeShard)));
  print(`\n${table(['worker', 'shards', 'orders', 'size'], skew.nodes.map(describeNode))}`);
  print(
    `\nThe fullest shard has ${skew.shardRatio.toFixed(2)} times the mean of orders, ` +
      `the fullest worker ${skew.nodeRatio.toFixed(2)} times.`,
  );
  const users = skew.topUsers.map((user) => `${user.userId} (${(100 * user.share).toFixed(1)} %)`);
  if (users.length > 0) print(`Users with the most deliveries: ${users.join(', ')}.`);
}

function describeShard({ shardId, node, minHash, maxHash, orders, bytes }: Shard): string[] {
  return [shardId, node, `${minHash} – ${maxHash}`, String(orders), megabytes(bytes)];
}

function describeNode({ node, shards, orders, bytes }: Skew['nodes'][number]): string[] {
  return [node, String(shards), String(orders), megabytes(bytes)];
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
