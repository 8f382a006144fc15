import type { RunningSystem } from '../../runtime/native/system.ts';

/** The superuser's URL of each server that is written to: the primary, or a cluster's coordinator and its workers. */
export function serverDsns({ dsn, workers }: Pick<RunningSystem, 'dsn' | 'workers'>): string[] {
  const database = new URL(dsn.admin).pathname.slice(1);
  return [dsn.admin, ...workers.map((worker) => worker.dsn(database))];
}
