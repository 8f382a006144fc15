import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface ServerUser {
  name: string;
  uid: number;
  gid: number;
}

/** Existing accounts without rights of their own, best first. The lab never creates one. */
const candidates = ['postgres', '_postgres', 'nobody', 'daemon'];

/**
 * The account that PostgreSQL runs as: undefined for the caller's own, an unprivileged one when the caller is root,
 * whom PostgreSQL refuses.
 */
export async function findServerUser(callerUid = process.getuid?.()): Promise<ServerUser | undefined> {
  if (callerUid !== 0) return undefined;
  for (const name of candidates) {
    const user = await lookUp(name);
    if (user && user.uid !== 0) return user;
  }
  throw new Error(
    `PostgreSQL refuses to run as root, and this machine has none of the users ${candidates.join(', ')}. ` +
      'Run the lab as an ordinary user.',
  );
}

async function lookUp(name: string): Promise<ServerUser | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    return { name, uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}

/** Options for `child_process.spawn`, which wants signed ids (macOS prints -2, the id of the account nobody, as 4294967294). */
export function spawnAs(user: ServerUser | undefined): { uid?: number; gid?: number } {
  return user ? { uid: user.uid | 0, gid: user.gid | 0 } : {};
}
