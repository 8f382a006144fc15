import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('verify')
    .summary('derive a result’s figures again')
    .description(
      'Derives every figure of a stored result from its turns and histograms, checks its digest, and names what differs.',
    )
    .argument('[result]', 'id, or its beginning, or a result file (the newest)')
    .option('--json', 'the findings as JSON on stdout')
    .addHelpText(
      'after',
      `
Examples:
  $ lab verify                       the newest run
  $ lab verify results/20260131T120000Z-ingest-timeline-beef.json

Exit status: 0 as measured, 1 changed or without a digest, 2 no result document.`,
    )
    .action(async (result: string | undefined, flags: { json?: boolean }) => {
      const { verifyCommand } = await import('../verify/command.ts');
      await verifyCommand(result, flags);
    });
}
