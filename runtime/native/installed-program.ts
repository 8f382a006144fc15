import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { exists } from './exists.ts';

const run = promisify(execFile);

/** A program that is installed. */
export interface InstalledProgram {
  command: string;
  /** As in `2.42.0`. */
  version: string;
}

/** Where packages and people put programs; the PATH of an ordinary user does not lead to all of them. */
const places = [
  '/usr/local/bin',
  '/usr/local/sbin',
  '/usr/bin',
  '/usr/sbin',
  '/opt/homebrew/bin',
  '/opt/local/bin',
  '/opt/local/sbin',
];

/** The first program of one of these names that tells its version, or undefined. */
export async function findInstalledProgram(names: readonly string[]): Promise<InstalledProgram | undefined> {
  for (const command of names.flatMap((name) => places.map((place) => path.join(place, name)))) {
    // A look costs nothing beside a process that is made in vain.
    if (!(await exists(command))) continue;
    const text = await run(command, ['--version'], { timeout: 10_000 }).then(
      // Older ones print it on stderr.
      ({ stdout, stderr }) => stdout || stderr,
      () => '',
    );
    const version = /\d+\.\d+(\.\d+)?/.exec(text)?.[0];
    if (version) return { command, version };
  }
  return undefined;
}
