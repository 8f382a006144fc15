import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { fence } from '../replication/fence.ts';
import { mostAdvanced, promote } from '../replication/promote.ts';
import { rebuildAsReplica } from '../replication/rebuild.ts';
import { MissingPartError } from '../runtime/native/missing-part.ts';
import { type RunningSystem, startSystem } from '../runtime/native/system.ts';
import type { SystemOptions } from '../runtime/native/system-options.ts';
import type { SystemDescription } from '../runtime/system-description.ts';
import { print, printJson, progress, table } from './output.ts';
import { reportError } from './report-error.ts';

/** What a detached supervisor tells the command that started it. */
type Message =
  | { type: 'progress'; line: string }
  | { type: 'ready'; description: SystemDescription }
  | { type: 'failed'; message: string; status: 1 | 2 | 3 };

/** Runs a system until a signal ends it. Resolves when everything is stopped and removed. */
export async function superviseInForeground(options: SystemOptions, json: boolean): Promise<void> {
  await supervise(options, progress, (system) => {
    const { description } = system;
    if (json) printJson(description);
    else print(describe(description));
    progress(`ready; Ctrl-C stops it (or: lab down ${description.id})`);
  });
  progress('stopped, nothing is left');
}

/** The background half of `--detach`: reports to the starting command, then lives until `lab down`. */
export async function superviseDetached(options: SystemOptions): Promise<void> {
  const send = (message: Message) => process.connected && process.send?.(message);
  try {
    await supervise(
      options,
      (line) => send({ type: 'progress', line }),
      ({ description, stopWatching }) => {
        stopWatching();
        send({ type: 'ready', description });
        process.disconnect?.();
      },
    );
  } catch (error) {
    const status = error instanceof MissingPartError ? 3 : 1;
    send({ type: 'failed', message: error instanceof Error ? error.message : String(error), status });
    process.disconnect?.();
  }
}

/** The foreground half of `--detach`: returns once the system is ready. */
export async function startDetached(commandLine: readonly string[], json: boolean): Promise<void> {
  const program = fileURLToPath(new URL('./bin.js', import.meta.url));
  const child = spawn(process.execPath, [program, ...commandLine, '--supervisor'], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    detached: true,
  });
  const outcome = await new Promise<Message>((resolve) => {
    child.on('message', (message: Message) => {
      if (message.type === 'progress') progress(message.line);
      else resolve(message);
    });
    child.once('error', ({ message }) => resolve({ type: 'failed', message, status: 1 }));
    child.once('exit', (status, signal) =>
      resolve({ type: 'failed', message: `the supervisor ended (${signal ?? `status ${status}`})`, status: 1 }),
    );
  });
  if (outcome.type !== 'ready') {
    if (outcome.type === 'failed') {
      process.exitCode = reportError(new Error(outcome.message));
      process.exitCode = outcome.status;
    }
    return;
  }
  child.unref();
  if (json) printJson(outcome.description);
  else print(describe(outcome.description));
  progress(`runs in the background; lab down ${outcome.description.id} stops it`);
}

interface Supervised {
  description: SystemDescription;
  /** From now on the end of the calling process is no reason to stop. */
  stopWatching(): void;
}

async function supervise(
  options: SystemOptions,
  report: (line: string) => void,
  onReady: (system: Supervised) => void,
): Promise<void> {
  const stop = new AbortController();
  const end = (reason: string) => {
    // The second Ctrl-C doesn't wait for an orderly end: the guard does the rest.
    if (stop.signal.aborted && reason === 'SIGINT') process.exit(130);
    stop.abort(new Error(`stopped by ${reason}`));
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => end(name));
  const parentEnded = () => end('the end of the calling process');
  process.on('disconnect', parentEnded);
  process.channel?.unref?.();

  let system: RunningSystem;
  try {
    system = await startSystem({
      ...options,
      promotion: { fence, mostAdvanced, promote, rebuildAsReplica },
      wellKnownPorts: true,
      progress: report,
      signal: stop.signal,
    });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    report('stopped before it was ready, nothing is left');
    process.exitCode = 130;
    return;
  }
  onReady({ description: system.describe(), stopWatching: () => process.off('disconnect', parentEnded) });
  // The system watches its parts until it is stopped, which keeps this process alive.
  await new Promise<void>((resolve) => {
    if (stop.signal.aborted) resolve();
    stop.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  report('stopping');
  await system.stop();
}

function describe(description: SystemDescription): string {
  const { urls, dsn, postgres } = description;
  return table(
    [],
    [
      ['run', description.id],
      ['topology', `${description.topology}, PostgreSQL ${postgres.version} (${postgres.kind})`],
      ...(urls.ingest ? [['gateway', urls.ingest]] : []),
      ['API', urls.api],
      ['provider', urls.provider],
      ...(urls.payments ? [['payments', urls.payments]] : []),
      ['database', dsn.admin],
      ...(urls.clickhouse ? [['ClickHouse', urls.clickhouse]] : []),
      ...(urls.inbox ? [['inbox', urls.inbox]] : []),
      ...(urls.prometheus ? [['Prometheus', urls.prometheus]] : []),
      ...(description.pooler ? [[`pgbouncer ${description.pooler.version}`, description.pooler.dsn]] : []),
      ...dsn.replicas.map((replica, index) => [`replica ${index + 1}`, replica]),
      ['logs', description.runDirectory],
    ],
  );
}
