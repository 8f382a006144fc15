import { findRun } from './native/run-directory.ts';
import type { SystemDescription } from './native/system.ts';
import { UsageError } from './output.ts';

export interface DatabaseTarget {
  /** postgresql:// URL of the owner of the tables. */
  dsn: string;
  /** The system it belongs to, when it is one of the lab's. */
  run: SystemDescription | undefined;
}

/** What `--run` or `--dsn` name; the newest system without either. @throws UsageError when there is none. */
export async function findDatabase(flags: { run?: string; dsn?: string }): Promise<DatabaseTarget> {
  if (flags.dsn !== undefined) {
    if (flags.run !== undefined) throw new UsageError('--dsn and --run exclude one another.');
    if (!/^postgres(ql)?:\/\//.test(flags.dsn))
      throw new UsageError('--dsn has to look like postgresql://user@host/database.');
    return { dsn: flags.dsn, run: undefined };
  }
  const run = await findRun(flags.run);
  if (run) return { dsn: run.dsn.admin, run };
  throw new UsageError(
    flags.run === undefined
      ? 'Nothing runs. Start a system with: lab up plain, or name a database with --dsn'
      : `No run ${flags.run}. See: lab status`,
  );
}
