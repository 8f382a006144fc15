import type { Command } from 'commander';
import type { PromoteFlags } from '../parts/flags.ts';

export function register(program: Command): void {
  program
    .command('promote')
    .summary('make a replica the primary')
    .description(
      'Ends the primary, in order where it still answers, and fences it: it takes no write any more. Then the replica that is furthest ahead becomes the primary, and the API, change data capture, `lab status` and `lab audit` follow it.',
    )
    .argument('[replica]', 'which one, where several have the same (the one that is furthest ahead)')
    .option('--rebuild', 'make the former primary a replica')
    .option('--run <id>', 'the system, as `lab status` names it (the newest)')
    .option('--json', 'one JSON document on stdout')
    .addHelpText('after', '\nExamples:\n  $ lab promote\n  $ lab promote replica_2 --rebuild')
    .action(async (replica: string | undefined, flags: PromoteFlags) => {
      const { promoteReplica } = await import('../parts/change-part.ts');
      await promoteReplica(replica, flags);
    });
}
