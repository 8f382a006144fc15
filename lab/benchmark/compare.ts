import type { ComparisonRun, Step } from '../../benchmarks/compare/comparison.ts';
import { defaultResultsDirectory, saveRun } from '../../benchmarks/compare/store.ts';
import type { RunDocument } from '../../benchmarks/schema/run.ts';
import { runSteps } from './run-steps.ts';

export interface SavedRun {
  document: RunDocument;
  file: string;
}

/**
 * Takes a run from its first server's start to the stored document. Whatever happens, Ctrl-C included, nothing is left
 * running.
 * @param writeReport called once everything has been stopped; returns the report's file
 * @throws Error when the run did not come to its end.
 */
export async function runAndSave(
  create: (signal: AbortSignal) => ComparisonRun | Promise<ComparisonRun>,
  writeReport?: (document: RunDocument) => Promise<string>,
): Promise<SavedRun> {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals) => stop.abort(new Error(`stopped by ${name}`));
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.once(name, onSignal);
  const run = await create(stop.signal);
  let saved: SavedRun | undefined;
  const save: Step = {
    title: 'store the result',
    run: async (note) => {
      const document = run.document();
      saved = { document, file: await saveRun(defaultResultsDirectory(), document) };
      note(saved.file);
    },
  };
  const cleanUp: Step = { title: 'stop the systems', run: () => run.close() };
  const report: Step = { title: 'write the report', run: async (note) => note(await writeReport!(saved!.document)) };
  try {
    await runSteps([...run.steps, save, cleanUp, ...(writeReport ? [report] : [])]);
    return saved!;
  } finally {
    await run.close();
    for (const name of signals) process.off(name, onSignal);
  }
}
