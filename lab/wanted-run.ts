import { findRun } from '../runtime/native/run-directory.ts';
import type { SystemDescription } from '../runtime/system-description.ts';
import { UsageError } from '../runtime/usage-error.ts';

/**
 * The system that `--run` names, or the newest.
 * @param instead What the caller could do without one, as in `, or name a database with --dsn`.
 * @throws UsageError when there is none.
 */
export async function wantedRun(id: string | undefined, instead = ''): Promise<SystemDescription> {
  const run = await findRun(id);
  if (run) return run;
  throw new UsageError(
    id === undefined ? `Nothing runs. Start a system with: lab up plain${instead}` : `No run ${id}. See: lab status`,
  );
}
