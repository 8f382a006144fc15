import type { Command } from 'commander';
import type { PartFlags } from '../parts/flags.ts';

export function register(program: Command): void {
  program
    .command('rebuild')
    .summary('make a former primary a replica')
    .description(
      'Makes a server that a promotion has left behind a replica of the new primary: by pg_rewind where the server has it, else by a copy.',
    )
    .argument('<part>', 'the server, `fenced` in `lab status`')
    .option('--run <id>', 'the system, as `lab status` names it (the newest)')
    .option('--json', 'one JSON document on stdout')
    .addHelpText('after', '\nExamples:\n  $ lab promote\n  $ lab rebuild primary')
    .action(async (part: string, flags: PartFlags) => {
      const { changePart } = await import('../parts/change-part.ts');
      await changePart('rebuild_part', part, flags);
    });
}
