import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { compileCacheDirectory } from './compile-cache.ts';
import { removeRun } from './leftovers.ts';

export interface Guard {
  pid: number;
  /** Lets the guard look once more and end. */
  release(): Promise<void>;
}

/**
 * Starts the watchdog of a run: a process that holds the other end of a pipe to us. However we end, kill -9 included,
 * the operating system closes the pipe, and the guard cleans up after us.
 */
export function startGuard(runDirectory: string): Guard {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), runDirectory], {
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', NODE_COMPILE_CACHE: compileCacheDirectory },
    // Out of the terminal's process group, or Ctrl-C would end the guard together with what it guards.
    detached: true,
  });
  const ended = once(child, 'exit');
  ended.catch(() => {});
  // The pipe must not keep a program alive that is otherwise done.
  child.unref();
  (child.stdin as Socket).unref();
  child.stdin.on('error', () => {});
  return {
    pid: child.pid ?? 0,
    release: async () => {
      child.ref();
      child.stdin.end();
      await ended;
    },
  };
}

if (import.meta.main) {
  const directory = process.argv[2];
  if (!directory) throw new Error('usage: guard.ts <run directory>');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  process.stdin.resume();
  process.stdin.on('error', () => {});
  process.stdin.once('close', () => void removeRun(directory));
}
