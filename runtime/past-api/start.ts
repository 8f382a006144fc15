import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitUntil } from '../../kernel/wait.ts';
import { compileCacheDirectory } from '../native/compile-cache.ts';
import { generatePassword } from '../native/credentials.ts';
import { httpAnswer } from '../native/http-ready.ts';
import { logTail } from '../native/log-tail.ts';
import { providerSettings } from '../native/service-starts.ts';
import type { SystemDescription } from '../system-description.ts';

/** A second API on the database of a run, with a clock of its own. */
export interface PastApi {
  readonly url: string;
  /** Resolves once its clock stands so many milliseconds before the real one. */
  setBack(ms: number): Promise<void>;
  stop(): Promise<void>;
}

const name = 'past-api';

/**
 * Starts one, which takes webhooks over HTTP. It ends with this process, or with the run.
 * @throws Error with the end of its log when it does not become ready.
 */
export async function startPastApi(run: SystemDescription, signal: AbortSignal): Promise<PastApi> {
  const logFile = path.join(run.runDirectory, `${name}.log`);
  const child = await spawnApi(run, logFile);
  let port: number | undefined;
  let setTo: number | undefined;
  child.on('message', (message: { listeningPort?: number; backMs?: number }) => {
    port = message.listeningPort ?? port;
    setTo = message.backMs ?? setTo;
  });
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  const stop = async () => {
    if (ended()) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  };
  const until = async (condition: () => boolean | Promise<boolean>, complaint: string) => {
    const met = await waitUntil(async () => ended() || (await condition()), {
      timeoutMs: 20_000,
      intervalMs: 5,
      signal,
    });
    if (met && !ended()) return;
    await stop();
    throw new Error(`${complaint}. End of its log:\n${await logTail(logFile, 25)}`);
  };
  const ready = async () => port !== undefined && (await httpAnswer(`http://127.0.0.1:${port}/health/ready`)) === '200';
  try {
    await until(ready, 'The API for past days did not start');
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `http://127.0.0.1:${port}`,
    setBack: async (ms) => {
      child.send({ backMs: ms });
      await until(() => setTo === ms, 'The API for past days has ended');
    },
    stop,
  };
}

async function spawnApi(run: SystemDescription, logFile: string): Promise<ChildProcess> {
  const log = await open(logFile, 'a', 0o600);
  try {
    // The argument is not for the API: by it the run's guard knows whose process this is.
    const main = fileURLToPath(new URL('./main.ts', import.meta.url));
    return spawn(process.execPath, [main, `--run-directory=${run.runDirectory}`], {
      cwd: run.runDirectory,
      env: {
        PATH: '/usr/local/bin:/usr/bin:/bin',
        TZ: 'UTC',
        NODE_ENV: 'production',
        NODE_COMPILE_CACHE: compileCacheDirectory,
        TOPOLOGY: run.topology,
        DATABASE_URL: run.dsn.api,
        REPLICA_DATABASE_URLS: run.dsn.replicas.join(','),
        API_PORT: '0',
        CURSOR_SECRET: generatePassword(),
        ACCESS_TOKEN_SECRETS: run.secrets.accessTokens,
        ...providerSettings(run.secrets),
      },
      stdio: ['ignore', log.fd, log.fd, 'ipc'],
    });
  } finally {
    await log.close();
  }
}
