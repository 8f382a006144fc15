import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { PostgresInstallation } from './installed.ts';
import { type ServerUser, spawnAs } from './server-user.ts';

const run = promisify(execFile);

/** `wal_compression=lz4` where the server was built with it (Debian's is, the embedded one is not), else nothing. */
export async function walCompression(
  installation: PostgresInstallation,
  dataDirectory: string,
  user: ServerUser | undefined,
): Promise<Record<string, string>> {
  const postgres = path.join(installation.binDirectory, 'postgres');
  const question = ['-D', dataDirectory, '-c', 'wal_compression=lz4', '-C', 'wal_compression'];
  return run(postgres, question, { cwd: dataDirectory, ...spawnAs(user) }).then(
    () => ({ wal_compression: 'lz4' }),
    () => ({}),
  );
}
