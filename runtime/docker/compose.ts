import { execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { MissingPartError } from '../native/missing-part.ts';

const run = promisify(execFile);

/** Of the checkout: where the compose file is. */
export const projectDirectory = fileURLToPath(new URL('../../', import.meta.url));
/** Where compose looks for secrets by itself. */
export const environmentFile = fileURLToPath(new URL('../../.env', import.meta.url));
export const smallFile = fileURLToPath(new URL('./small.env', import.meta.url));
export const haFile = fileURLToPath(new URL('../../replication/ha.env', import.meta.url));

/** One system under compose: its project name and the files whose variables it was started with. */
export interface ComposeProject {
  name: string;
  environmentFiles: readonly string[];
}

/** @throws MissingPartError when there is no Docker with compose v2, or its daemon does not answer. */
export async function assertDocker(): Promise<void> {
  const install = 'https://docs.docker.com/engine/install (with the compose plugin), and start its daemon';
  await docker(['version', '--format', '{{.Server.Version}}']).catch((error) => {
    const absent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new MissingPartError(absent ? 'Docker' : 'a Docker daemon that answers', install);
  });
  await docker(['compose', 'version', '--short']).catch(() => {
    throw new MissingPartError('the compose plugin of Docker', install);
  });
}

/** Standard output of a Docker command. */
export async function docker(commandLine: readonly string[], timeoutMs = 20_000): Promise<string> {
  const { stdout } = await run('docker', commandLine, { timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}

/** The last lines that a container wrote, to whichever of its outputs. */
export async function dockerLogs(container: string, lines: number): Promise<string> {
  const { stdout, stderr } = await run('docker', ['logs', '--tail', String(lines), container], { timeout: 20_000 });
  return stdout + stderr;
}

/** Arguments of `docker` for a compose command on a project. */
export function composeArguments(project: ComposeProject, ...commandLine: string[]): string[] {
  const files = project.environmentFiles.flatMap((file) => ['--env-file', file]);
  return ['compose', '--project-directory', projectDirectory, '-p', project.name, ...files, ...commandLine];
}

/**
 * Runs a compose command whose output, progress and builds, goes to our stderr.
 * @throws Error when it fails or the signal ended it.
 */
export async function compose(
  project: ComposeProject,
  commandLine: string[],
  options: { environment?: Record<string, string | undefined>; signal?: AbortSignal } = {},
): Promise<void> {
  const child = spawn('docker', composeArguments(project, ...commandLine), {
    stdio: ['ignore', 2, 2],
    ...(options.environment && { env: options.environment }),
    // Ctrl-C in a terminal is ours to handle: compose would stop half of what it has just started.
    detached: true,
  });
  options.signal?.addEventListener('abort', () => child.kill('SIGINT'), { once: true });
  const status = await new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 1));
  });
  if (status !== 0) throw new Error(`docker compose ${commandLine.join(' ')} ended with ${status}.`);
}

/** Removes a project's containers and networks, whichever topology it ran, and its data unless that is to be kept. */
export async function composeDown(project: ComposeProject, { keepData = false } = {}): Promise<void> {
  await compose(project, ['--profile', '*', 'down', ...(keepData ? [] : ['--volumes']), '--remove-orphans']);
}
