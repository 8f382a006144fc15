import { seal } from '../../benchmarks/results/digest.ts';
import { checkResultsDirectory, defaultResultsDirectory, saveDocument } from '../../benchmarks/results/store.ts';
import type { BenchRun, Step } from '../../benchmarks/runner/run.ts';
import type { ResultDocument } from '../../benchmarks/schema/result.ts';
import { interruptible } from '../interruptible.ts';
import { runSteps } from './run-steps.ts';

export interface SavedRun<Document> {
  document: Document;
  file: string;
}

/**
 * Takes a run from its first server's start to the stored document. Whatever happens, Ctrl-C included, nothing is left
 * running.
 * @param writeReport called once everything has been stopped; returns the report's file
 * @throws Error when the run did not come to its end.
 */
export async function runAndSave<Document extends ResultDocument>(
  create: (signal: AbortSignal) => BenchRun<Document> | Promise<BenchRun<Document>>,
  writeReport?: (document: Document) => Promise<string>,
): Promise<SavedRun<Document>> {
  await checkResultsDirectory(defaultResultsDirectory());
  return interruptible(async (signal) => takeToTheEnd(await create(signal), writeReport));
}

async function takeToTheEnd<Document extends ResultDocument>(
  run: BenchRun<Document>,
  writeReport: ((document: Document) => Promise<string>) | undefined,
): Promise<SavedRun<Document>> {
  let saved: SavedRun<Document> | undefined;
  const save: Step = {
    title: 'store the result',
    run: async (note) => {
      const document = seal(run.document());
      saved = { document, file: await saveDocument(defaultResultsDirectory(), document) };
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
