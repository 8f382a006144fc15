import type { Command } from 'commander';
import type { ShardFlags } from '../shards/flags.ts';

export function register(program: Command): void {
  const shards = program
    .command('shards')
    .summary('list, move, rebalance and isolate the shards of a cluster')
    .description('Looks after the shards of a system of the citus topology. Shards move while they are written to.')
    .addHelpText(
      'after',
      `
Examples:
  $ lab shards list                                where the shards lie, how full they are, and how unevenly
  $ lab shards move 102008 --to 127.0.0.1:5433     one shard, with everything that lies beside it
  $ lab shards rebalance                           as many shards on each worker
  $ lab shards isolate user_7                      a shard of its own for one user
  $ lab shards isolate user_7 --to 127.0.0.1:5433  and a worker for it`,
    );
  const command = (name: string, summary: string) =>
    shards
      .command(name)
      .description(summary)
      .option('--run <id>', 'the system, as `lab status` names it (the newest)')
      .option('--dsn <url>', 'another cluster, by the URL of the owner on its coordinator')
      .option('--json', 'one JSON document on stdout');

  command('list', 'Shards with node, size and orders; how unevenly they lie; the largest users.').action(
    async (flags: ShardFlags) => {
      const { list } = await import('../shards/list.ts');
      await list(flags);
    },
  );
  command('rebalance', 'Moves shards until each worker has as many.').action(async (flags: ShardFlags) => {
    const { rebalance } = await import('../shards/rebalance.ts');
    await rebalance(flags);
  });
  command('move', 'Moves one shard to another worker.')
    .argument('<shard>', 'its id, as `lab shards list` shows it')
    .requiredOption('--to <node>', 'as in 127.0.0.1:5433')
    .action(async (shard: string, flags: ShardFlags & { to: string }) => {
      const { move } = await import('../shards/move.ts');
      await move(shard, flags);
    });
  command('isolate', 'Gives one user a shard of its own.')
    .argument('<user>', 'the user_id')
    .option('--to <node>', 'the worker that is to have it; left out: where it lies')
    .action(async (user: string, flags: ShardFlags & { to?: string }) => {
      const { isolate } = await import('../shards/isolate.ts');
      await isolate(user, flags);
    });
}
