import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { makeSecrets } from '../../runtime/docker/secrets.ts';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '../..');

/**
 * What is missing for a test on this image; undefined where nothing is. Nothing is ever pulled: a test must not depend
 * on a registry, nor fill a disk unasked.
 */
export async function missingForImage(image: string): Promise<string | undefined> {
  return (await missingDaemon()) ?? missingImage(image);
}

/**
 * The same for a profile of docker-compose.yml: its images, and for those that are built from this checkout what their
 * Dockerfiles begin with.
 */
export async function missingForProfile(profile: string): Promise<string | undefined> {
  const daemon = await missingDaemon();
  if (daemon) return daemon;
  const config = run('docker', ['compose', '--profile', profile, 'config', '--format', 'json'], {
    cwd: root,
    timeout: 20_000,
    env: { ...process.env, ...makeSecrets() },
  });
  const answer = await config.catch(() => undefined);
  if (!answer) return 'the compose plugin of Docker, 2.24 or newer';
  const services = Object.values((JSON.parse(answer.stdout) as { services: Record<string, Service> }).services);
  for (const image of new Set((await Promise.all(services.map(imagesOf))).flat())) {
    const missing = await missingImage(image);
    if (missing) return missing;
  }
  return undefined;
}

interface Service {
  image: string;
  build?: { context: string; dockerfile?: string };
}

async function imagesOf({ image, build }: Service): Promise<string[]> {
  if (!build) return [image];
  const text = await readFile(path.resolve(build.context, build.dockerfile ?? 'Dockerfile'), 'utf8');
  return [...text.matchAll(/^FROM (\S+)/gm)].map((match) => match[1]!);
}

async function missingDaemon(): Promise<string | undefined> {
  try {
    await run('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: 10_000 });
    return undefined;
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return absent ? 'Docker: it is not installed' : 'Docker: its daemon does not answer';
  }
}

async function missingImage(image: string): Promise<string | undefined> {
  return run('docker', ['image', 'inspect', image], { timeout: 10_000 }).then(
    () => undefined,
    () => `the image ${image}: docker pull ${image}`,
  );
}
