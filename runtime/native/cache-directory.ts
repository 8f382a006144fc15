import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { exists } from './exists.ts';

/**
 * Makes `target`, a directory of a cache that several starts may fill at once: complete as soon as it has its name, and
 * the first start's copy stays. All users can read it, because the servers' user is another one when the lab runs as
 * root.
 */
export async function makeCached(target: string, fill: (directory: string) => Promise<void>): Promise<void> {
  const cache = path.dirname(target);
  await mkdir(cache, { recursive: true });
  await chmod(cache, 0o755);
  await removeAbandoned(cache);
  const partial = await mkdtemp(`${target}.partial-`);
  try {
    await fill(partial);
    await openToAll(partial);
    await rename(partial, target).catch(async (error) => {
      // Another start was quicker: its copy is the same.
      if (!(await exists(target))) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Copies in the middle of which a start was killed. */
async function removeAbandoned(cache: string): Promise<void> {
  for (const name of (await readdir(cache)).filter((entry) => entry.includes('.partial-'))) {
    const directory = path.join(cache, name);
    const made = await stat(directory).catch(() => undefined);
    if (made && Date.now() - made.mtimeMs > 3_600_000) await rm(directory, { recursive: true, force: true });
  }
}

async function openToAll(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const isProgram = entry.isDirectory() || path.basename(entry.parentPath) === 'bin';
    await chmod(path.join(entry.parentPath, entry.name), isProgram ? 0o755 : 0o644);
  }
}
