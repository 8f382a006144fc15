import { execFile } from 'node:child_process';
import { access, constants, realpath } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { processEnvironment } from '../../../kernel/config/load.ts';
import { MissingPartError } from '../missing-part.ts';
import { canEnter } from '../readable.ts';
import { findServerUser, type ServerUser } from '../server-user.ts';
import { hasKafkaLibraries, mavenRemedy } from './libraries.ts';

const run = promisify(execFile);

/** Debezium's classes are compiled for it. */
const oldestJava = 17;

const javaRemedy = `apt install openjdk-${oldestJava}-jre-headless (macOS: brew install openjdk@${oldestJava})`;

export interface Java {
  /** The program itself, links resolved. */
  program: string;
  version: string;
  /**
   * Who runs it: PostgreSQL's unprivileged user when the caller is root, so that a hole in a server that listens on a
   * port is not a hole in the machine. The caller himself where that user can't reach the program (a Java below /root).
   */
  user: ServerUser | undefined;
}

/**
 * Java from JAVA_HOME, else from the PATH.
 * @throws MissingPartError when there is none, or only an older one.
 */
export async function findJava(environment = processEnvironment()): Promise<Java> {
  const home = environment.JAVA_HOME;
  const found =
    (home && (await executable(path.join(home, 'bin', 'java')))) || (await findProgram('java', environment));
  if (!found) throw new MissingPartError(`Java ${oldestJava}`, javaRemedy);
  // On macOS /usr/bin/java exists without a Java behind it and then fails.
  const { stderr } = await run(found, ['-version']).catch(() => ({ stderr: '' }));
  const version = /version "([^"]+)"/.exec(stderr)?.[1];
  if (!version) throw new MissingPartError(`Java ${oldestJava}`, javaRemedy);
  if (Number.parseInt(version, 10) < oldestJava) {
    throw new MissingPartError(`Java ${oldestJava} (found ${version})`, javaRemedy);
  }
  const program = await realpath(found);
  const user = await findServerUser().catch(() => undefined);
  return { program, version, user: (await canEnter(user, path.dirname(program))) ? user : undefined };
}

/** What keeps Kafka from being started here, with its remedy; undefined when nothing does. For announced skips. */
export async function missingForKafka(): Promise<string | undefined> {
  try {
    await findJava();
    if (!(await hasKafkaLibraries()) && !(await findProgram('mvn'))) {
      throw new MissingPartError('Maven', mavenRemedy);
    }
    return undefined;
  } catch (error) {
    if (error instanceof MissingPartError) return `${error.part}: ${error.remedy}`;
    throw error;
  }
}

/** The first program of this name on the PATH. */
export async function findProgram(name: string, environment = processEnvironment()): Promise<string | undefined> {
  for (const directory of (environment.PATH ?? '').split(path.delimiter)) {
    const found = directory && (await executable(path.join(directory, name)));
    if (found) return found;
  }
  return undefined;
}

/** Runs a program of the user, with his environment. @throws Error with the end of what it printed. */
export async function runProgram(program: string, options: readonly string[]): Promise<void> {
  try {
    await run(program, options, { maxBuffer: 16 * 1024 * 1024, timeout: 600_000 });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(
      `${path.basename(program)} failed:\n${`${stdout}${stderr}`.trim().split('\n').slice(-15).join('\n')}`,
      {
        cause: error,
      },
    );
  }
}

async function executable(file: string): Promise<string | undefined> {
  return access(file, constants.X_OK).then(
    () => file,
    () => undefined,
  );
}
