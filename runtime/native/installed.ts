import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { topologyExtensions } from '../../kernel/topology.ts';
import { exists } from './exists.ts';
import { MissingPartError } from './missing-part.ts';
import { canReadTree } from './readable.ts';
import type { ServerUser } from './server-user.ts';

const run = promisify(execFile);

export interface PostgresInstallation {
  kind: 'embedded' | 'installed';
  /** Directory with `initdb` and `postgres`. */
  binDirectory: string;
  /** As in `18.4`. */
  version: string;
}

export interface InstalledPostgres extends PostgresInstallation {
  /** Extensions beyond contrib that topologies ask for, as in `pg_partman`. */
  extensions: string[];
}

/** Where packages put servers: Debian, Red Hat, Homebrew on both processors, MacPorts, Postgres.app. */
const places = [
  '/usr/lib/postgresql',
  '/usr',
  '/usr/local',
  '/opt/homebrew/opt',
  '/usr/local/opt',
  '/opt/local/lib',
  '/Applications/Postgres.app/Contents/Versions',
];

/** Every installed server with `initdb`, newest first. */
export async function listInstalled(): Promise<InstalledPostgres[]> {
  const directories = new Set<string>();
  for (const place of places) {
    directories.add(path.join(place, 'bin'));
    for (const name of await readdir(place).catch(() => [])) {
      if (/^(\d+|pgsql-\d+|postgresql(@?\d+)?)$/.test(name)) directories.add(path.join(place, name, 'bin'));
    }
  }
  const configured = await output('pg_config', ['--bindir']);
  if (configured) directories.add(configured);
  const found = await Promise.all([...directories].map(inspect));
  const unique = new Map(found.flatMap((entry) => (entry ? [[entry.binDirectory, entry]] : [])));
  return [...unique.values()].sort((a, b) => Number.parseFloat(b.version) - Number.parseFloat(a.version));
}

/**
 * The newest installed server that `user` may run, one with `extension` before all others.
 * @throws MissingPartError when there is none.
 */
export async function preferredInstallation(
  extension: string | undefined,
  user: ServerUser | undefined,
): Promise<InstalledPostgres> {
  const usable: InstalledPostgres[] = [];
  for (const installed of await listInstalled()) {
    if (await canReadTree(user, installed.binDirectory)) usable.push(installed);
  }
  const chosen = usable.find(({ extensions }) => extension && extensions.includes(extension)) ?? usable[0];
  if (chosen) return chosen;
  throw new MissingPartError('an installed PostgreSQL server', 'apt install postgresql, or brew install postgresql');
}

async function inspect(binDirectory: string): Promise<InstalledPostgres | undefined> {
  const postgres = path.join(binDirectory, 'postgres');
  if (!(await exists(postgres)) || !(await exists(path.join(binDirectory, 'initdb')))) return undefined;
  const version = /(\d+(\.\d+)?)/.exec(await output(postgres, ['--version']))?.[1];
  if (!version) return undefined;
  const share = await shareDirectory(binDirectory, version);
  const extensions: string[] = [];
  for (const name of topologyExtensions()) {
    if (share && (await exists(path.join(share, 'extension', `${name}.control`)))) extensions.push(name);
  }
  return { kind: 'installed', binDirectory, version, extensions };
}

async function shareDirectory(binDirectory: string, version: string): Promise<string | undefined> {
  const fromConfig = await output(path.join(binDirectory, 'pg_config'), ['--sharedir']);
  const major = version.split('.')[0];
  // Debian ships pg_config in a development package, so its place for a version's files is known here.
  const guesses = [fromConfig, `/usr/share/postgresql/${major}`, path.join(binDirectory, '..', 'share', 'postgresql')];
  for (const guess of guesses) if (guess && (await exists(path.join(guess, 'extension')))) return guess;
  return undefined;
}

async function output(command: string, options: string[]): Promise<string> {
  return run(command, options).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
}
