import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../lab/bin.js', import.meta.url));

/** A `lab` command that was started. */
export interface LabCommand {
  child: ChildProcessByStdio<null, Readable, Readable>;
  /** So far. */
  output: { stdout: string; stderr: string };
  ended: Promise<{ status: number | null; signal: string | null; stdout: string; stderr: string }>;
}

/** A directory of its own for runs, in which commands neither see those of others nor are seen by them. */
export interface LabHome {
  path: string;
  lab(...commandLine: string[]): LabCommand;
  labWith(environment: Record<string, string>, ...commandLine: string[]): LabCommand;
  /** Any program, with the home in its environment. */
  start(program: string, ...commandLine: string[]): LabCommand;
  /** Names of the runs' directories. */
  runs(): Promise<string[]>;
  /** Stops whatever runs. */
  down(): Promise<void>;
  /** After `down`: ends the commands and removes the directory. */
  close(): Promise<void>;
}

export async function openLabHome(): Promise<LabHome> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'lab-e2e-'));
  // As root the servers run as another user, who has to get through.
  await chmod(home, 0o711);
  const started: LabCommand['child'][] = [];

  function start(program: string, commandLine: string[], environment: Record<string, string> = {}): LabCommand {
    const child = spawn(program, commandLine, {
      env: { PATH: '/usr/bin:/bin', LAB_HOME: home, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    started.push(child);
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].on('data', (chunk) => {
        output[name] += chunk;
      });
    }
    const ended = once(child, 'close').then(([status, signal]) => ({ status, signal, ...output }));
    return { child, output, ended };
  }

  const labWith = (environment: Record<string, string>, ...commandLine: string[]) =>
    start(process.execPath, [program, ...commandLine], environment);
  const runs = async () => (await readdir(home)).filter((name) => name.startsWith('run-'));
  return {
    path: home,
    lab: (...commandLine) => labWith({}, ...commandLine),
    labWith,
    start: (program, ...commandLine) => start(program, commandLine),
    runs,
    down: async () => {
      if ((await runs()).length > 0) await labWith({}, 'down', '--all').ended;
    },
    close: async () => {
      for (const child of started) child.kill('SIGKILL');
      await rm(home, { recursive: true, force: true });
    },
  };
}
