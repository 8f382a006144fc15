import { constants } from 'node:fs';
import { access, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../../runtime/usage-error.ts';
import type { RunDocument } from '../schema/run.ts';
import { checkRunDocument } from '../schema/validate.ts';

const suffix = '.json';

/** `results/` of the checkout, where every run leaves one document. */
export function defaultResultsDirectory(): string {
  return path.resolve(import.meta.dirname, '../../results');
}

/** Whether results can be stored there, asked before minutes are spent on one. @throws UsageError */
export async function checkResultsDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
    await access(directory, constants.W_OK);
  } catch (error) {
    throw new UsageError(`Results could not be stored: ${error instanceof Error ? error.message : error}`);
  }
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
 * @throws UsageError when there is no such run or more than one.
 */
export async function loadRun(directory: string, wanted?: string): Promise<RunDocument> {
  if (wanted?.endsWith(suffix)) return readRun(wanted);
  const ids = await listRunIds(directory);
  const matching = wanted === undefined ? ids.slice(-1) : ids.filter((id) => id.startsWith(wanted));
  if (matching.length !== 1) {
    if (matching.length > 1) throw new UsageError(`${wanted} begins several runs: ${matching.join(', ')}.`);
    const what = wanted === undefined ? 'no run' : `no run ${wanted}`;
    throw new UsageError(`There is ${what} in ${directory}. \`lab compare --quick\` makes one.`);
  }
  return readRun(path.join(directory, `${matching[0]}${suffix}`));
}

async function readRun(file: string): Promise<RunDocument> {
  let document: unknown;
  try {
    document = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${file} is no result document: ${error instanceof Error ? error.message : error}`);
  }
  return checkRunDocument(document);
}
