import { execFile } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { processEnvironment } from '../../../kernel/config/environment.ts';
import { MissingPartError } from '../missing-part.ts';
import { canEnter } from '../readable.ts';
import { findServerUser, type ServerUser } from '../server-user.ts';
import { executable, findProgram } from './programs.ts';

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
