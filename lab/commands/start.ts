import type { Command } from 'commander';
import type { StartFlags } from '../start/command.ts';

export function register(program: Command): void {
  program
    .command('start')
    .summary('the tour: compare, audit, report')
    .description(
      'What `npm start` runs: a quick comparison of every topology that this machine can run, audited, with one table ' +
        'and one report. In a terminal it then serves the report and a live system until Ctrl-C; elsewhere it ends, ' +
        'with status 0 only when every run is VALID and every audit clean.',
    )
    .option('--no-interactive', 'end after the report, in a terminal too')
    .option('--json', 'the result document on stdout; implies --no-interactive')
    .addHelpText(
      'after',
      '\nExamples:\n  $ npm start\n  $ lab start --no-interactive\n  $ lab start --json > result.json',
    )
    .action(async (flags: StartFlags) => {
      const { startCommand } = await import('../start/command.ts');
      await startCommand(flags);
    });
}
