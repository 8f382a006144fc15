import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { processEnvironment } from '../../../kernel/config/environment.ts';

const run = promisify(execFile);

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

/** The file itself when it can be run. */
export async function executable(file: string): Promise<string | undefined> {
  return access(file, constants.X_OK).then(
    () => file,
    () => undefined,
  );
}
