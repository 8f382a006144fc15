import { checkNode, moveShard } from '../../citus/shards.ts';
import { UsageError } from '../../runtime/usage-error.ts';
import { print, printJson } from '../output.ts';
import type { ShardFlags } from './flags.ts';
import { onCluster } from './on-cluster.ts';

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
