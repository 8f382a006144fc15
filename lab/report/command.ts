import { writeReport } from '../../benchmarks/report/write.ts';
import { defaultResultsDirectory, loadDocument } from '../../benchmarks/results/store.ts';
import { print, printJson } from '../output.ts';
import { openInBrowser } from './open.ts';

export interface ReportFlags {
  open?: boolean;
  json?: boolean;
}

/** `lab report`. */
export async function reportCommand(runs: readonly string[], flags: ReportFlags): Promise<void> {
  const wanted = runs.length === 0 ? [undefined] : runs;
  const documents = await Promise.all(wanted.map((run) => loadDocument(defaultResultsDirectory(), run)));
  const file = await writeReport(documents);
  if (flags.json) printJson({ file, runs: documents.map(({ id }) => id) });
  else print(file);
  if (flags.open) await openInBrowser(file);
}
