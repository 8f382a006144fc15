import { rebalance as rebalanceShards } from '../../citus/shards.ts';
import { print, printJson, table } from '../output.ts';
import type { ShardFlags } from './flags.ts';
import { onCluster } from './on-cluster.ts';

/** `lab shards rebalance` */
export async function rebalance(flags: ShardFlags): Promise<void> {
  const started = performance.now();
  const moves = await onCluster(flags, rebalanceShards);
  const seconds = (performance.now() - started) / 1000;
  if (flags.json) return printJson({ moves, seconds });
  if (moves.length === 0) return print('The shards lie evenly: nothing was moved.');
  const rows = moves.map((move) => [move.shardId, move.from, move.to]);
  print(table(['shard', 'from', 'to'], rows));
  print(`\nMoved in ${seconds.toFixed(1)} s.`);
}
