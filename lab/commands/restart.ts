import type { Command } from 'commander';
import type { PartFlags } from '../parts/flags.ts';

export function register(program: Command): void {
  program
    .command('restart')
    .summary('start a part of a system again')
    .description(
      'Ends a part of a running system if need be, and starts it in its place, with its data. A part that has died too often, or was stopped, starts with this.',
    )
    .argument('<part>', 'as `lab status` names it: primary, api, cdc …')
    .option('--run <id>', 'the system, as `lab status` names it (the newest)')
    .option('--json', 'one JSON document on stdout')
    .addHelpText('after', '\nExamples:\n  $ lab restart api\n  $ lab restart primary --run 3f9a01bc')
    .action(async (part: string, flags: PartFlags) => {
      const { changePart } = await import('../parts/change-part.ts');
      await changePart('restart_part', part, flags);
    });
}
