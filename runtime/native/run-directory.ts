import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { SystemDescription } from '../system-description.ts';
import { startGuard } from './guard.ts';
import { removeRun } from './leftovers.ts';
import { processIdentity } from './processes.ts';
import { runsRoot } from './runs-root.ts';

export interface RunDirectory {
  /** Eight hexadecimal digits. */
  id: string;
  path: string;
  /** Ends what may still run and removes the directory. */
  close(): Promise<void>;
}

interface Owner {
  pid: number;
  identity: string;
}

/**
 * A new directory for one run, owned by this process and watched by a guard. Directories of runs whose owner has died
 * (and whose guard died too, or they would be gone) are swept away first.
 */
export async function createRunDirectory(): Promise<RunDirectory> {
  const root = await runsRoot();
  await sweepDeadRuns(root);
  const id = randomBytes(4).toString('hex');
  const directory = path.join(root, `run-${id}`);
  const partial = path.join(root, `new-${id}`);
  await mkdir(partial).catch(({ message }) => {
    throw new Error(`No directory for a run: ${message}. Set LAB_HOME to another place.`);
  });
  // Not by mkdir: the caller's umask must not lock the server's user out.
  await chmod(partial, 0o711);
  const owner: Owner = { pid: process.pid, identity: (await processIdentity(process.pid)) ?? '' };
  await writeFile(path.join(partial, 'owner.json'), JSON.stringify(owner), { mode: 0o600 });
  // A run exists as soon as it has its name, and never without its owner.
  await rename(partial, directory);
  const guard = startGuard(directory);
  return {
    id,
    path: directory,
    close: async () => {
      await removeRun(directory);
      await guard.release();
    },
  };
}

/** The systems that run now, oldest first. Runs of tests and ones still starting are not among them. */
export async function listRuns(): Promise<SystemDescription[]> {
  const root = await runsRoot();
  const runs: SystemDescription[] = [];
  for (const name of await runNames(root)) {
    const directory = path.join(root, name);
    if (!(await hasLiveOwner(directory))) continue;
    const text = await readFile(path.join(directory, 'run.json'), 'utf8').catch(() => undefined);
    if (text !== undefined) runs.push(JSON.parse(text));
  }
  runs.push(...(await composeSystems(root)));
  return runs.sort((a, b) => a.startedAt.localeCompare(b.startedAt));
}

/** Loaded, and Docker asked, only where compose was used before. */
async function composeSystems(root: string): Promise<SystemDescription[]> {
  if (!(await readdir(root)).includes('compose')) return [];
  const { listComposeSystems } = await import('../docker/running.ts');
  return listComposeSystems(root);
}

/** The run with this id, or without one the newest; undefined when there is none. */
export async function findRun(id?: string): Promise<SystemDescription | undefined> {
  const runs = await listRuns();
  return id === undefined ? runs.at(-1) : runs.find((run) => run.id === id);
}

/** Makes the run visible to `listRuns`. It holds passwords: only the owner can read it. */
export async function writeDescription(description: SystemDescription): Promise<void> {
  const file = path.join(description.runDirectory, 'run.json');
  await writeFile(`${file}.partial`, JSON.stringify(description, null, 2), { mode: 0o600 });
  await rename(`${file}.partial`, file);
}

/** Removes runs whose owner is dead. @returns their directories. */
export async function sweepDeadRuns(root: string): Promise<string[]> {
  const swept: string[] = [];
  for (const name of await runNames(root)) {
    const directory = path.join(root, name);
    if (await hasLiveOwner(directory)) continue;
    await removeRun(directory);
    swept.push(directory);
  }
  for (const name of (await readdir(root)).filter((entry) => entry.startsWith('new-'))) {
    const made = await stat(path.join(root, name)).catch(() => undefined);
    if (made && Date.now() - made.mtimeMs > 60_000) await rm(path.join(root, name), { recursive: true, force: true });
  }
  return swept;
}

async function runNames(root: string): Promise<string[]> {
  return (await readdir(root)).filter((name) => /^run-[0-9a-f]{8}$/.test(name));
}

async function hasLiveOwner(directory: string): Promise<boolean> {
  const text = await readFile(path.join(directory, 'owner.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return false;
  const owner = JSON.parse(text) as Owner;
  return (await processIdentity(owner.pid)) === owner.identity;
}
