import { chmod, lstat, mkdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { processEnvironment } from '../../kernel/config/environment.ts';
import { canEnter } from './readable.ts';
import { findServerUser, type ServerUser } from './server-user.ts';
import { readStorage } from './storage.ts';

/**
 * The directory that holds one directory per run: `LAB_HOME`, or `payments-lab-<uid>` in the directory for temporary
 * files (/var/tmp where that one lies in memory). Made when missing. Others may pass through it, because as root the
 * servers run as another user, but they can't list it; everything secret below has rights of its own.
 */
export async function runsRoot(environment = processEnvironment()): Promise<string> {
  const chosen = environment.LAB_HOME;
  const user = await findServerUser();
  const uid = process.getuid?.() ?? 0;
  const root = path.resolve(chosen || path.join(await temporaryDirectory(user), `payments-lab-${uid}`));
  const made = await makeDirectory(root).catch(({ message }) => {
    throw new Error(`No directory for runs: ${message}. Set LAB_HOME to another place.`);
  });
  const stats = await lstat(root);
  if (!stats.isDirectory() || stats.uid !== uid) {
    // In a shared /tmp any user can take the name first; then it is theirs and can't be trusted.
    throw new Error(`${root} is not a directory of your own. Set LAB_HOME to another place.`);
  }
  // Said again, because the caller's umask may have taken rights away.
  for (let current = root; made && current.startsWith(made); current = path.dirname(current)) {
    await chmod(current, 0o711);
  }
  if (!(await canEnter(user, root))) {
    throw new Error(
      `The servers run as the user ${user?.name}, who can't enter ${root}. Set LAB_HOME to another place.`,
    );
  }
  return root;
}

/**
 * Makes the directory and those above it that are missing. Not by `mkdir` with `recursive`, which tries for ever where
 * the file system makes no directories, as below /proc.
 * @returns The topmost directory that was made; undefined when all of them were there.
 */
async function makeDirectory(directory: string): Promise<string | undefined> {
  const make = () =>
    mkdir(directory).then(
      () => directory,
      (error) => {
        if (error.code === 'EEXIST') return undefined;
        throw error;
      },
    );
  try {
    return await make();
  } catch (error) {
    const above = path.dirname(directory);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || above === directory) throw error;
    const topmost = await makeDirectory(above);
    const made = await make();
    return topmost ?? made;
  }
}

/** The first that suits: what is in memory has no real fsync, and root's own directory may be private (macOS). */
async function temporaryDirectory(user: ServerUser | undefined): Promise<string> {
  for (const directory of [os.tmpdir(), '/var/tmp', '/tmp']) {
    const storage = await readStorage(directory).catch(() => undefined);
    if (storage && !storage.inMemory && (await canEnter(user, directory))) return directory;
  }
  return os.tmpdir();
}
