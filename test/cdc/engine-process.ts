import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { EngineArguments, EngineReport } from './engine-child.ts';

type Alarm = Extract<EngineReport, { alarm: string }>;
type Status = Extract<EngineReport, { status: unknown }>;

/** An engine in a child process. */
export interface EngineProcess {
  pid: number;
  /** Its standard output so far. */
  log(): string;
  alarm(): Alarm | undefined;
  /** Undefined while it runs. */
  exit(): { code: number | null; signal: string | null } | undefined;
  status(): Promise<Status>;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<{ code: number | null; signal: string | null }>;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
}

export function startEngine(given: EngineArguments): EngineProcess {
  const child: ChildProcess = fork(path.join(import.meta.dirname, 'engine-child.ts'), [JSON.stringify(given)], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Vitest's own loader must not reach the child. With so little heap, an engine that keeps what it read dies.
    execArgv: ['--max-old-space-size=96'],
  });
  let log = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-20_000);
    });
  }
  let exit: { code: number | null; signal: string | null } | undefined;
  const exited = once(child, 'exit').then(([code, signal]) => {
    exit = { code, signal };
    return exit;
  });
  let alarm: Alarm | undefined;
  child.on('message', (message: EngineReport) => {
    if ('alarm' in message) alarm = message;
  });
  return {
    pid: child.pid!,
    log: () => log,
    alarm: () => alarm,
    exit: () => exit,
    status: () =>
      new Promise((resolve, reject) => {
        const listen = (message: EngineReport): void => {
          if (!('status' in message)) return;
          child.off('message', listen);
          resolve(message);
        };
        child.on('message', listen);
        child.send('status', (error) => error && reject(error));
      }),
    stop: () => {
      child.kill('SIGTERM');
      return exited;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
