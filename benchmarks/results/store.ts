import { constants } from 'node:fs';
import { access, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../../runtime/usage-error.ts';
import { isOwnDocument, type ResultDocument } from '../schema/result.ts';
import type { RunDocument } from '../schema/run.ts';
import { checkDocument } from '../schema/validate.ts';
import { seal } from './digest.ts';

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

/** Checks the document against its schema and adds it to the results, with its digest. @returns its file */
export async function saveDocument(directory: string, document: ResultDocument): Promise<string> {
  const sealed = seal(document);
  await checkDocument(sealed);
  await mkdir(directory, { recursive: true });
  const file = path.join(directory, fileName(document));
  await writeFile(`${file}.partial`, `${JSON.stringify(sealed, null, 2)}\n`);
  await rename(`${file}.partial`, file);
  return file;
}

/** The document of a scenario with arms of its own has the scenario before its id. */
function fileName(document: ResultDocument): string {
  return `${isOwnDocument(document) ? `${document.scenario}-` : ''}${document.id}${suffix}`;
}

/** Ids of all stored runs, the oldest first: they begin with their time. */
export async function listRunIds(directory: string): Promise<string[]> {
  const files = await listFiles(directory);
  return files.filter(({ scenario }) => scenario === '').map(({ id }) => id);
}

interface StoredFile {
  /** Empty for a comparison of topologies. */
  scenario: string;
  id: string;
  name: string;
}

/** The oldest first. */
async function listFiles(directory: string): Promise<StoredFile[]> {
  const names = await readdir(directory).catch(() => []);
  return names
    .flatMap((name) => {
      const [, scenario = '', id] = /^(?:([a-z]+)-)?([0-9]{8}T.*)\.json$/.exec(name) ?? [];
      return id === undefined ? [] : [{ scenario, id, name }];
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * The document with this id (or the only one that begins with it, or a file's path); the newest when none is named.
 * @throws UsageError when there is no such document or more than one.
 */
export async function loadDocument(directory: string, wanted?: string): Promise<ResultDocument> {
  if (wanted?.endsWith(suffix)) return readDocument(wanted);
  const files = await listFiles(directory);
  const matching =
    wanted === undefined
      ? files.slice(-1)
      : files.filter(({ id, name }) => id.startsWith(wanted) || name.startsWith(wanted));
  if (matching.length !== 1) {
    if (matching.length > 1) {
      throw new UsageError(`${wanted} begins several runs: ${matching.map(({ id }) => id).join(', ')}.`);
    }
    const what = wanted === undefined ? 'no run' : `no run ${wanted}`;
    throw new UsageError(`There is ${what} in ${directory}. \`lab compare --quick\` makes one.`);
  }
  return readDocument(path.join(directory, matching[0]!.name));
}

/** As `loadDocument`, of the comparisons of topologies. */
export async function loadRun(directory: string, wanted?: string): Promise<RunDocument> {
  const newest = wanted === undefined ? (await listRunIds(directory)).at(-1) : undefined;
  const document = await loadDocument(directory, newest ?? wanted);
  if (!isOwnDocument(document)) return document;
  throw new UsageError(`${document.id} compares no topologies: it is a run of ${document.scenario}.`);
}

async function readDocument(file: string): Promise<ResultDocument> {
  let document: unknown;
  try {
    document = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${file} is no result document: ${error instanceof Error ? error.message : error}`);
  }
  return checkDocument(document).catch((error) => {
    throw new UsageError(`${file}: ${error instanceof Error ? error.message : error}`);
  });
}
