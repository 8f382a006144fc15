import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { RunDocument } from '../schema/run.ts';
import { checkRunDocument } from '../schema/validate.ts';

const suffix = '.json';

/** `results/` of the checkout, where every run leaves one document. */
export function defaultResultsDirectory(): string {
  return path.resolve(import.meta.dirname, '../../results');
}

/** Checks the document against the schema and adds it to the results. @returns its file */
export async function saveRun(directory: string, document: RunDocument): Promise<string> {
  await checkRunDocument(document);
  await mkdir(directory, { recursive: true });
  const file = path.join(directory, `${document.id}${suffix}`);
  await writeFile(`${file}.partial`, `${JSON.stringify(document, null, 2)}\n`);
  await rename(`${file}.partial`, file);
  return file;
}

/** Ids of all stored runs, the oldest first: they begin with their time. */
export async function listRunIds(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names
    .filter((name) => /^[0-9]{8}T.*\.json$/.test(name))
    .map((name) => name.slice(0, -suffix.length))
    .sort();
}

/**
 * The run with this id (or the only one that begins with it, or a file's path); the newest when none is named.
 * @throws Error when there is no such run or more than one.
 */
export async function loadRun(directory: string, wanted?: string): Promise<RunDocument> {
  if (wanted?.endsWith(suffix)) return checkRunDocument(JSON.parse(await readFile(wanted, 'utf8')));
  const ids = await listRunIds(directory);
  const matching = wanted === undefined ? ids.slice(-1) : ids.filter((id) => id.startsWith(wanted));
  if (matching.length !== 1) {
    const what = wanted === undefined ? 'any run' : `a run ${wanted}`;
    const reason = matching.length === 0 ? `There is not ${what} in ${directory}` : `${wanted} means several runs`;
    throw new Error(`${reason}. \`lab compare --quick\` makes one.`);
  }
  return checkRunDocument(JSON.parse(await readFile(path.join(directory, `${matching[0]}${suffix}`), 'utf8')));
}
