import type { Command } from 'commander';

export interface ReportFlags {
  open?: boolean;
  json?: boolean;
}

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
      const { defaultResultsDirectory, loadRun } = await import('../../benchmarks/results/store.ts');
      const { writeReport } = await import('../../benchmarks/report/write.ts');
      const { print, printJson } = await import('../output.ts');
      const directory = defaultResultsDirectory();
      const wanted = runs.length === 0 ? [undefined] : runs;
      const documents = await Promise.all(wanted.map((run) => loadRun(directory, run)));
      const file = await writeReport(documents);
      if (flags.json) printJson({ file, runs: documents.map(({ id }) => id) });
      else print(file);
      if (flags.open) {
        const { openInBrowser } = await import('../report/open.ts');
        await openInBrowser(file);
      }
    });
}
