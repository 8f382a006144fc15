import type { Command } from 'commander';

export interface AnnotateFlags {
  grafana: string;
  json?: boolean;
}

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
      const { defaultResultsDirectory, loadRun } = await import('../../benchmarks/results/store.ts');
      const { annotate } = await import('../../benchmarks/results/annotate.ts');
      const { print, printJson } = await import('../output.ts');
      const { UsageError } = await import('../../runtime/usage-error.ts');
      if (!/^https?:\/\/./.test(flags.grafana) || !URL.canParse(flags.grafana)) {
        throw new UsageError('--grafana has to look like http://user:password@host:port.');
      }
      const grafana = new URL(flags.grafana);
      const written: { run: string; annotations: number }[] = [];
      for (const run of runs.length === 0 ? [undefined] : runs) {
        const document = await loadRun(defaultResultsDirectory(), run);
        written.push({ run: document.id, annotations: await annotate(grafana, document) });
      }
      if (flags.json) printJson({ written });
      else
        for (const { run, annotations } of written) print(`${run}: ${annotations || 'there already, no'} annotations`);
    });
}
