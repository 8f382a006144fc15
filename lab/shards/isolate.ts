import { checkNode, isolateUser, moveShard } from '../../citus/shards.ts';
import { identifier } from '../../kernel/contract/fields.ts';
import { UsageError } from '../../runtime/usage-error.ts';
import { print, printJson, progress } from '../output.ts';
import type { ShardFlags } from './flags.ts';
import { onCluster } from './on-cluster.ts';

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
