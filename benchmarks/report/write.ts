import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { defaultResultsDirectory } from '../results/store.ts';
import type { ResultDocument } from '../schema/result.ts';
import { renderReport } from './render.ts';

/** Writes the HTML report of the runs beside their results. @returns its file */
export async function writeReport(documents: readonly ResultDocument[]): Promise<string> {
  const directory = defaultResultsDirectory();
  const name = documents.length === 1 ? documents[0]!.id : `${documents[0]!.id}-and-${documents.length - 1}-more`;
  const file = path.join(directory, `${name}.html`);
  await mkdir(directory, { recursive: true });
  await writeFile(file, await renderReport(documents));
  return file;
}
