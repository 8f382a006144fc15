import type { Command } from 'commander';
import type { AnnotateFlags } from '../annotate/command.ts';

export function register(program: Command): void {
  program
    .command('annotate')
    .summary('mark benchmark runs in Grafana')
    .description(
      'Writes an annotation for each turn of stored runs, so that the dashboards show what was measured when. A run ' +
        'whose annotations are there already is left alone.',
    )
    .argument('[run...]', 'ids, or their beginnings, or result files (the newest run)')
    .requiredOption('--grafana <url>', 'Grafana’s URL, with user and password, or with :token')
    .option('--json', 'one JSON document on stdout')
    .addHelpText(
      'after',
      `
Examples:
  $ lab annotate --grafana http://admin:secret@127.0.0.1:3003
  $ lab annotate 20260131T120000Z --grafana http://:glsa_token@127.0.0.1:3003`,
    )
    .action(async (runs: string[], flags: AnnotateFlags) => {
      const { annotateCommand } = await import('../annotate/command.ts');
      await annotateCommand(runs, flags);
    });
}
