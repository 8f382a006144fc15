import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeCached } from '../cache-directory.ts';
import { exists } from '../exists.ts';
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
  await makeCached(target, (directory) =>
    runProgram(maven, [
      '--batch-mode',
      '--quiet',
      '--file',
      pom,
      'dependency:copy-dependencies',
      `-DoutputDirectory=${directory}`,
    ]),
  );
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
