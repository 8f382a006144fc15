import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { defaultResultsDirectory } from '../../benchmarks/results/store.ts';
import { saveTextPage } from '../../benchmarks/results/text-page.ts';
import type { AcceptanceDocument } from '../../benchmarks/scenarios/acceptance/document.ts';
import type { FreshnessDocument } from '../../benchmarks/scenarios/freshness/document.ts';
import { print, printJson, progress } from '../output.ts';

/**
 * The end of a scenario that has a document of its own: stores it, prints it, saves the page where that was asked for,
 * and sets the exit status.
 * @param text what a reader gets to see
 */
export async function finishWith(
  document: AcceptanceDocument | FreshnessDocument,
  text: string,
  flags: { title: string; json?: boolean; save?: boolean },
): Promise<void> {
  const { scenario, id, verdict } = document;
  // Beside the comparisons' documents, under a name that is none of theirs.
  const file = path.join(defaultResultsDirectory(), `${scenario}-${id}.json`);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(document, null, 2)}\n`);
  if (flags.json) printJson(document);
  else print(text);
  if (flags.save) progress(`saved: ${await saveTextPage({ ...document, name: scenario, title: flags.title, text })}`);
  progress(`result: ${file}`);
  if (verdict !== 'VALID') process.exitCode = 1;
}
