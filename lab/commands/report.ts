import type { Command } from 'commander';
import type { ReportFlags } from '../report/command.ts';

export function register(program: Command): void {
  program
    .command('report')
    .summary('the HTML report of a run')
    .description('Writes one HTML file that opens offline, from the stored results.')
    .argument('[run...]', 'ids, or their beginnings, or result files (the newest run)')
    .option('--open', 'open it in the browser')
    .option('--json', 'the file’s path as JSON on stdout')
    .addHelpText(
      'after',
      `
Examples:
  $ lab report                       the newest run
  $ lab report --open
  $ lab report 20260131T120000Z 20260201T090000Z`,
    )
    .action(async (runs: string[], flags: ReportFlags) => {
      const { reportCommand } = await import('../report/command.ts');
      await reportCommand(runs, flags);
    });
}
