import type { Command } from 'commander';
import type { PartFlags } from '../parts/flags.ts';

export function register(program: Command): void {
  program
    .command('stop')
    .summary('stop a part of a system')
    .description('Ends a part of a running system in order. It stays stopped until `lab restart`; the rest runs on.')
    .argument('<part>', 'as `lab status` names it: primary, api, cdc …')
    .option('--run <id>', 'the system, as `lab status` names it (the newest)')
    .option('--json', 'one JSON document on stdout')
    .addHelpText('after', '\nExamples:\n  $ lab stop clickhouse\n  $ lab restart clickhouse')
    .action(async (part: string, flags: PartFlags) => {
      const { changePart } = await import('../parts/change-part.ts');
      await changePart('stop_part', part, flags);
    });
}
