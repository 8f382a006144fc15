import { withClient } from '../kernel/postgres/with-client.ts';
import type { SystemDescription } from '../runtime/system-description.ts';
import { UsageError } from '../runtime/usage-error.ts';
import { wantedRun } from './wanted-run.ts';

export interface DatabaseTarget {
  /** postgresql:// URL of the owner of the tables. */
  dsn: string;
  /** The system it belongs to, when it is one of the lab's. */
  run: SystemDescription | undefined;
}

/**
 * What `--run` or `--dsn` name; the newest system without either.
 * @throws UsageError when there is none; Error when the database at `--dsn` can't be reached.
 */
export async function findDatabase(flags: { run?: string; dsn?: string }): Promise<DatabaseTarget> {
  if (flags.dsn === undefined) {
    const run = await wantedRun(flags.run, ', or name a database with --dsn');
    return { dsn: run.dsn.admin, run };
  }
  if (flags.run !== undefined) throw new UsageError('--dsn and --run exclude one another.');
  await checkDsn('--dsn', flags.dsn);
  return { dsn: flags.dsn, run: undefined };
}

/** @throws UsageError that names the option when this is no URL of a database. */
export function parseDsn(option: string, dsn: string): URL {
  const url = /^postgres(ql)?:\/\//.test(dsn) ? URL.parse(dsn) : null;
  if (url) return url;
  throw new UsageError(`${option} has to look like postgresql://user@host/database.`);
}

/** Whether a database answers there, before anything is done. @throws Error that names the option. */
export async function checkDsn(option: string, dsn: string): Promise<void> {
  const url = parseDsn(option, dsn);
  try {
    await withClient(dsn, async () => {});
  } catch (error) {
    const { message, code } = error as { message: string; code?: string };
    throw new Error(`${option}: no connection to ${url.host}${url.pathname}: ${message || code}.`);
  }
}
