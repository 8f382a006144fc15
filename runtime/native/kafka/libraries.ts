import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { MissingPartError } from '../missing-part.ts';
import { runsRoot } from '../runs-root.ts';
import { findProgram, runProgram } from './programs.ts';

const pom = fileURLToPath(new URL('./pom.xml', import.meta.url));

/**
 * The directory with the libraries that `pom.xml` names: some 60 MB, fetched by Maven on the first call and kept below
 * the runs root under a name that holds the file's hash, so that another pom never meets old libraries.
 * @throws MissingPartError when they have to be fetched and there is no Maven.
 */
export async function kafkaLibraries(progress: (line: string) => void = () => {}): Promise<string> {
  const target = await librariesDirectory();
  if (await exists(target)) return target;
  const maven = await findProgram('mvn');
  if (!maven) throw new MissingPartError('Maven', mavenRemedy);
  progress('fetching Kafka and Debezium by Maven (once, 60 MB)');
  const cache = path.dirname(target);
  await mkdir(cache, { recursive: true });
  await chmod(cache, 0o755);
  await removeAbandoned(cache);
  // Complete as soon as it has its name; two starts at once make the same twice, and the first one's stays.
  const partial = await mkdtemp(`${target}.partial-`);
  try {
    await runProgram(maven, [
      ...['--batch-mode', '--quiet', '--file', pom, 'dependency:copy-dependencies'],
      `-DoutputDirectory=${partial}`,
    ]);
    await openToAll(partial);
    await rename(partial, target).catch(async (error) => {
      if (!(await exists(target))) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return target;
}

/** Whether a start needs no Maven any more. */
export async function hasKafkaLibraries(): Promise<boolean> {
  return exists(await librariesDirectory());
}

export const mavenRemedy = 'apt install maven (macOS: brew install maven)';

async function librariesDirectory(): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(pom))
    .digest('hex');
  return path.join(await runsRoot(), 'cache', `kafka-${hash.slice(0, 12)}`);
}

/** The servers' user is another one when the lab runs as root. */
async function openToAll(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const name of await readdir(directory)) await chmod(path.join(directory, name), 0o644);
}

/** What somebody was killed in the middle of. */
async function removeAbandoned(cache: string): Promise<void> {
  for (const name of (await readdir(cache)).filter((entry) => /^kafka-.*\.partial-/.test(entry))) {
    const made = await stat(path.join(cache, name)).catch(() => undefined);
    if (made && Date.now() - made.mtimeMs > 3_600_000)
      await rm(path.join(cache, name), { recursive: true, force: true });
  }
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
