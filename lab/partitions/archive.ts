import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { type Archived, archivePartition } from '../../operations/partitions/archive.ts';
import { partitionsEndedBefore } from '../../operations/partitions/list.ts';
import { UsageError } from '../../runtime/usage-error.ts';
import type { DatabaseTarget } from '../database-target.ts';
import { print, printJson, progress, table } from '../output.ts';
import type { ArchiveFlags } from './flags.ts';
import { onDatabase } from './on-database.ts';
import { longest, megabytes } from './text.ts';

const dayMs = 86_400_000;

/** `lab partitions archive`: one partition, or all that ended long enough ago. */
export async function archive(partition: string | undefined, flags: ArchiveFlags): Promise<void> {
  const { maxLockMs, keep = false, olderThan } = flags;
  if ((partition === undefined) === (olderThan === undefined)) {
    throw new UsageError('Name a partition, or use --older-than.');
  }
  if (partition !== undefined && flags.table !== undefined) {
    throw new UsageError('--table goes with --older-than: a partition belongs to one table.');
  }
  const now = () => new Date();
  const archives = await onDatabase(flags, async (client, target) => {
    const directory = await directoryOf(flags, target);
    const wanted =
      partition === undefined
        ? await partitionsEndedBefore(client, new Date(Date.now() - olderThan! * dayMs), flags.table)
        : [partition];
    const done: Archived[] = [];
    for (const name of wanted) {
      done.push(await archivePartition(client, { partition: name, directory, keep, maxLockMs, now, progress }));
    }
    return done;
  });
  if (flags.json) printJson(partition === undefined ? { archives } : archives[0]);
  else if (archives.length === 0) print('No partition is that old.');
  for (const archived of flags.json ? [] : archives) print(`${describe(archived)}\n`);
}

/** Where the files go: a directory that exists now. */
async function directoryOf(flags: ArchiveFlags, { run }: DatabaseTarget): Promise<string> {
  const directory = flags.directory ?? (run && path.join(run.runDirectory, 'archives'));
  if (directory === undefined) throw new UsageError('--dsn needs --directory: the file has to go somewhere.');
  await mkdir(directory, { recursive: true }).catch(({ message }) => {
    throw new UsageError(`--directory: ${message}`);
  });
  return path.resolve(directory);
}

function describe({ file, fileBytes, tableBytes, manifest, dropped, locks }: Archived): string {
  return table(
    [],
    [
      ['file', `${file}, ${megabytes(fileBytes)} (${megabytes(tableBytes)} in the database)`],
      ['rows', `${manifest.rows}, hash ${manifest.rowHash}`],
      ['partition', dropped ? 'dropped' : 'detached'],
      ['longest lock', longest(locks)],
    ],
  );
}
