import { type ComparisonOptions, createComparison, type Step } from '../../benchmarks/compare/comparison.ts';
import { defaultResultsDirectory, saveRun } from '../../benchmarks/compare/store.ts';
import type { RunDocument } from '../../benchmarks/schema/run.ts';
import { runSteps } from './run-steps.ts';

export interface FinishedComparison {
  document: RunDocument;
  file: string;
}

/**
 * Runs a comparison from the first server's start to the stored document. Whatever happens, Ctrl-C included, nothing
 * is left running.
 * @throws Error when it could not be run to its end.
 */
export async function compareAndSave(
  options: Omit<ComparisonOptions, 'signal'>,
  writeReport?: (document: RunDocument) => Promise<string>,
): Promise<FinishedComparison> {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals) => stop.abort(new Error(`stopped by ${name}`));
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, onSignal);
  const run = createComparison({ ...options, signal: stop.signal });
  let saved: FinishedComparison | undefined;
  const save: Step = {
    title: 'store the result',
    run: async (note) => {
      const document = run.document();
      saved = { document, file: await saveRun(defaultResultsDirectory(), document) };
      note(saved.file);
    },
  };
  const report: Step = {
    title: 'write the report',
    run: async (note) => note(await writeReport!(saved!.document)),
  };
  const cleanUp: Step = { title: 'stop the systems', run: () => run.close() };
  try {
    await runSteps([...run.steps, save, cleanUp, ...(writeReport ? [report] : [])]);
    return saved!;
  } finally {
    await run.close();
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(name, onSignal);
  }
}
