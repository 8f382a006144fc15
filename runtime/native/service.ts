import path from 'node:path';
import { type Child, startChild, terminateSteps } from './child.ts';
import { compileCacheDirectory } from './compile-cache.ts';
import { httpAnswer } from './http-ready.ts';
import { createPart, type Part } from './part.ts';
import { untilReady } from './until-ready.ts';

export interface ServiceOptions {
  /** Unique in the run, as in `api`: names the log file. */
  name: string;
  /** TypeScript file that Node runs. */
  entry: string;
  runDirectory: string;
  /** A port that must be used. */
  port?: number | undefined;
  /** A port that is used when it is free. */
  preferredPort?: number | undefined;
  /** The whole environment but for PATH and the like; port 0 lets the operating system choose one. */
  environment(port: number): Record<string, string>;
  /** The log's level of detail is the service's affair; this is how long it may take until it answers. */
  readyTimeoutMs?: number;
  /** An end after which it must not be started again by itself, as in `exit status 4`. */
  finalEnd?: string;
  signal?: AbortSignal | undefined;
}

/** A running Node service of the lab. */
export interface Service extends Part {
  readonly port: number;
  readonly url: string;
  readonly logFile: string;
}

/**
 * Starts a service, waits until it tells its port (`process.send({ listeningPort })`) and until `GET /health/ready` on
 * it answers 200.
 * @throws Error with the end of its log when it ends or does not become ready.
 */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { name, finalEnd } = options;
  const logFile = path.join(options.runDirectory, `${name}.log`);
  const startOn = (port: number) => startOnce(options, logFile, port);
  const child = await startOn(options.port ?? options.preferredPort ?? 0).catch((error) => {
    const mayMove = options.port === undefined && String(error).includes('EADDRINUSE');
    if (!mayMove) throw error;
    return startOn(0);
  });
  const port = child.listeningPort!;
  const part = createPart({ name, child, start: () => startOn(port), stopSteps, finalEnd });
  return Object.assign(part, { port, url: `http://127.0.0.1:${port}`, logFile });
}

const stopSteps = terminateSteps(10_000);

async function startOnce(options: ServiceOptions, logFile: string, port: number): Promise<Child> {
  const { name, entry, runDirectory, signal } = options;
  const child = await startChild({
    command: process.execPath,
    // The argument is not for the service: by it the guard knows whose process this is.
    arguments: [entry, `--run-directory=${runDirectory}`],
    environment: {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      TZ: 'UTC',
      NODE_ENV: 'production',
      NODE_COMPILE_CACHE: compileCacheDirectory,
      ...options.environment(port),
    },
    workingDirectory: runDirectory,
    logFile,
    channel: true,
  });
  let lastAnswer = 'it did not say that it listens';
  const ready = async () => {
    if (child.listeningPort === undefined) return false;
    lastAnswer = await httpAnswer(`http://127.0.0.1:${child.listeningPort}/health/ready`);
    return lastAnswer === '200';
  };
  return untilReady(child, {
    name,
    logFile,
    ready,
    stopSteps,
    signal,
    timeoutMs: options.readyTimeoutMs ?? 20_000,
    intervalMs: 30,
    lastAnswer: () => `GET /health/ready: ${lastAnswer}`,
  });
}
