import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ServerUser } from './server-user.ts';

/** Whether `user` may enter `directory` and all its parents. Undefined stands for the caller, who got there already. */
export async function canEnter(user: ServerUser | undefined, directory: string): Promise<boolean> {
  if (!user) return true;
  for (let current = await realpath(directory); ; current = path.dirname(current)) {
    if (!permits(await stat(current), user, 0o1)) return false;
    if (current === path.dirname(current)) return true;
  }
}

/** Whether `user` may enter `directory` and read (and for programs run) every file below it. */
export async function canReadTree(user: ServerUser | undefined, directory: string): Promise<boolean> {
  if (!user) return true;
  if (!(await canEnter(user, directory))) return false;
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const readable = await Promise.all(
    entries.map(async (entry) => {
      if (entry.isSymbolicLink()) return true;
      const isProgram = entry.isDirectory() || path.basename(entry.parentPath) === 'bin';
      return permits(await lstat(path.join(entry.parentPath, entry.name)), user, isProgram ? 0o5 : 0o4);
    }),
  );
  return readable.every(Boolean);
}

/** `needed` as in one octal digit of a mode: 4 read, 1 run or enter. */
function permits(file: { mode: number; uid: number; gid: number }, user: ServerUser, needed: number): boolean {
  const shift = file.uid === user.uid ? 6 : file.gid === user.gid ? 3 : 0;
  return ((file.mode >> shift) & needed) === needed;
}
