import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { waitUntil } from '../../kernel/wait.ts';
import { sendSignal } from './processes.ts';
import { type ServerUser, spawnAs } from './server-user.ts';

export interface ChildOptions {
  command: string;
  arguments: readonly string[];
  environment: Record<string, string>;
  workingDirectory: string;
  /** Receives stdout and stderr, appended. */
  logFile: string;
  user?: ServerUser | undefined;
  /** Opens a channel on which a Node program tells its port. */
  channel?: boolean;
  /** What keeps something that the process writes when a caller stops it; with how it ended. */
  onStopped?: (how: string) => Promise<void>;
}

/** A signal, and how long a process may take to end after it. */
export interface StopStep {
  signal: NodeJS.Signals;
  timeoutMs: number;
}

/** Asks a process to end, and kills it when that takes longer than `patienceMs`. */
export function terminateSteps(patienceMs: number): readonly StopStep[] {
  return [
    { signal: 'SIGTERM', timeoutMs: patienceMs },
    { signal: 'SIGKILL', timeoutMs: 5_000 },
  ];
}

/** A started process whose output goes to a file. */
export interface Child {
  readonly pid: number;
  /** Undefined while it runs, then as in `exit status 1` or `signal SIGKILL`. */
  readonly ended: string | undefined;
  /** Once the program said `{ listeningPort }` on its channel. */
  readonly listeningPort: number | undefined;
  /** It writes something when it is stopped in order. */
  readonly writesAtItsEnd: boolean;
  kill(signal: NodeJS.Signals): void;
  /** Sends the signals in turn, each after the one before had its time, until the process has ended. */
  stop(steps: readonly StopStep[]): Promise<void>;
}

/** @throws Error when the program can't be run. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const log = await open(options.logFile, 'a', 0o600);
  try {
    const child = spawn(options.command, options.arguments, {
      cwd: options.workingDirectory,
      env: options.environment,
      stdio: ['ignore', log.fd, log.fd, ...(options.channel ? (['ipc'] as const) : [])],
      // A session of its own: Ctrl-C in the terminal reaches the supervisor only, which then stops all in order.
      detached: true,
      ...spawnAs(options.user),
    });
    let ended: string | undefined;
    child.once('exit', (status, signal) => {
      ended = signal ? `signal ${signal}` : `exit status ${status}`;
    });
    let listeningPort: number | undefined;
    child.on('message', (message: { listeningPort?: number }) => {
      listeningPort = message.listeningPort ?? listeningPort;
    });
    // The channel must not keep a program alive that is otherwise done.
    child.channel?.unref();
    await once(child, 'spawn');
    return {
      pid: child.pid!,
      get ended() {
        return ended;
      },
      get listeningPort() {
        return listeningPort;
      },
      writesAtItsEnd: options.onStopped !== undefined,
      kill: (signal) => ended === undefined && sendSignal(child.pid!, signal),
      stop: async (steps) => {
        const endedBefore = ended !== undefined;
        await stopInSteps(child, () => ended !== undefined, steps);
        if (!endedBefore) await options.onStopped?.(ended!);
      },
    };
  } finally {
    await log.close();
  }
}

async function stopInSteps(child: ChildProcess, hasEnded: () => boolean, steps: readonly StopStep[]): Promise<void> {
  for (const { signal, timeoutMs } of steps) {
    if (hasEnded()) return;
    sendSignal(child.pid!, signal);
    if (await waitUntil(hasEnded, { timeoutMs })) return;
  }
  if (!hasEnded()) throw new Error(`Process ${child.pid} did not end.`);
}
