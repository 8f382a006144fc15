import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { composeDown } from '../../runtime/docker/compose.ts';
import { freePort } from '../../runtime/native/free-port.ts';
import type { SystemDescription } from '../../runtime/system-description.ts';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');

/** A system under compose whose project, ports, secrets and records are its own: it runs beside others and beside yours. */
export interface ComposeSystem {
  description: SystemDescription;
  /** What `lab up` said on its stderr. */
  said: string;
  /** A command of the lab that finds this system. Rejects when it ends with another status than 0. */
  lab(...commandLine: string[]): Promise<{ stdout: string; stderr: string }>;
  /** How many containers, volumes and networks of it Docker knows. */
  count(): Promise<{ containers: number; volumes: number; networks: number }>;
  /** Removes whatever is there of it, after a test that failed half-way too. */
  remove(): Promise<void>;
}

/**
 * `lab up … --runtime docker --detach` on free ports. It builds the images of this checkout each time: it is this code
 * that is tested, and not an image from last week. What has not changed comes from Docker's build cache; a first
 * build asks Debian's archive and npm. Other images are never pulled: see `missingForProfile`.
 * @param ports Of which services: `API` for API_PORT.
 */
export async function startComposeSystem(
  { ports }: { ports: readonly string[] },
  ...commandLine: string[]
): Promise<ComposeSystem> {
  const project = `lab-test-${randomBytes(4).toString('hex')}`;
  const home = await mkdtemp(path.join(os.tmpdir(), 'lab-compose-'));
  // As root a native server runs as another user, who has to get through; the lab asks that before it knows of Docker.
  await chmod(home, 0o711);
  const secrets = path.join(home, 'secrets.env');
  const published = await Promise.all(ports.map(async (name) => [`${name}_PORT`, String(await freePort())]));
  const environment = {
    ...process.env,
    ...Object.fromEntries(published),
    LAB_HOME: home,
    COMPOSE_PROJECT_NAME: project,
    COMPOSE_ENV_FILES: secrets,
  };
  const lab = (...words: string[]) =>
    run(process.execPath, ['lab/bin.js', ...words], { cwd: root, env: environment, maxBuffer: 1 << 26 });

  async function countOf(...list: string[]): Promise<number> {
    const { stdout } = await run('docker', [...list, '-q', '--filter', `label=com.docker.compose.project=${project}`]);
    return stdout.split('\n').filter(Boolean).length;
  }

  async function remove(): Promise<void> {
    await composeDown({ name: project, environmentFiles: [secrets] });
    await rm(home, { recursive: true, force: true });
  }

  try {
    const up = await lab('up', ...commandLine, '--runtime', 'docker', '--detach', '--json');
    return {
      description: JSON.parse(up.stdout),
      said: up.stderr,
      lab,
      remove,
      count: async () => ({
        containers: await countOf('ps', '-a'),
        volumes: await countOf('volume', 'ls'),
        networks: await countOf('network', 'ls'),
      }),
    };
  } catch (error) {
    await remove().catch(() => {});
    throw error;
  }
}
