import { mkdtemp, rm, symlink } from 'node:fs/promises';
import type { Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** The Unix domain socket on which the supervisor of a run takes requests: one line of JSON, answered by another. */
export function supervisorSocket(runDirectory: string): string {
  return path.join(runDirectory, 'supervisor.sock');
}

/** Linux has room for 107 bytes, macOS for 103. */
const longestPath = 100;

/**
 * Calls `use` with a path that is short enough for bind and connect. The socket stays in the run's directory: where that
 * lies too deep, the path leads through a link that exists during the call only.
 */
export async function withSocketPath<T>(socketFile: string, use: (file: string) => Promise<T>): Promise<T> {
  if (Buffer.byteLength(socketFile) <= longestPath) return use(socketFile);
  const directory = await mkdtemp(path.join(os.tmpdir(), 'lab-'));
  try {
    await symlink(path.dirname(socketFile), path.join(directory, 'run'));
    return await use(path.join(directory, 'run', path.basename(socketFile)));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** The first line that arrives; undefined when the other side ends or resets the connection before it has sent one. */
export async function readLine(socket: Socket): Promise<string | undefined> {
  return new Promise((resolve) => {
    const lines = createInterface({ input: socket });
    lines.once('line', resolve);
    lines.once('close', () => resolve(undefined));
    // readline passes the errors of its input on: a peer that is killed with our line unread resets the connection.
    lines.on('error', () => resolve(undefined));
    socket.once('close', () => resolve(undefined));
  });
}
