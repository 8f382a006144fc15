import type { ComparisonRun, Step } from '../../benchmarks/compare/comparison.ts';
import { checkResultsDirectory, defaultResultsDirectory, saveRun } from '../../benchmarks/results/store.ts';
import type { RunDocument } from '../../benchmarks/schema/run.ts';
import { interruptible } from '../interruptible.ts';
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
  await checkResultsDirectory(defaultResultsDirectory());
  return interruptible(async (signal) => takeToTheEnd(await create(signal), writeReport));
}

async function takeToTheEnd(
  run: ComparisonRun,
  writeReport: ((document: RunDocument) => Promise<string>) | undefined,
): Promise<SavedRun> {
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
  }
}
