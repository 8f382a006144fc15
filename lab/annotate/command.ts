import { annotate } from '../../benchmarks/results/annotate.ts';
import { defaultResultsDirectory, loadRun } from '../../benchmarks/results/store.ts';
import { UsageError } from '../../runtime/usage-error.ts';
import { print, printJson } from '../output.ts';

export interface AnnotateFlags {
  grafana: string;
  json?: boolean;
}

/** `lab annotate`. */
export async function annotateCommand(runs: readonly string[], flags: AnnotateFlags): Promise<void> {
  if (!/^https?:\/\/./.test(flags.grafana) || !URL.canParse(flags.grafana)) {
    throw new UsageError('--grafana has to look like http://user:password@host:port.');
  }
  const grafana = new URL(flags.grafana);
  const written: { run: string; annotations: number }[] = [];
  for (const run of runs.length === 0 ? [undefined] : runs) {
    const document = await loadRun(defaultResultsDirectory(), run);
    written.push({ run: document.id, annotations: await annotate(grafana, document) });
  }
  if (flags.json) return printJson({ written });
  for (const { run, annotations } of written) print(`${run}: ${annotations || 'there already, no'} annotations`);
}
