import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../runtime/native/postgres.ts';
import { throwawaySettings } from '../../runtime/native/postgres-settings.ts';
import { createRunDirectory } from '../../runtime/native/run-directory.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Superuser's connection URL of the run's PostgreSQL. */
    postgresDsn: string;
  }
}

/**
 * One embedded PostgreSQL for all integration tests of a run, in a run directory of its own, so that two runs on one
 * machine don't meet. When the run is killed, the directory's guard ends the server.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await createRunDirectory();
  try {
    const server = await startPostgres({ runDirectory: directory.path, name: 'test', settings: throwawaySettings });
    project.provide('postgresDsn', server.dsn());
  } catch (error) {
    await directory.close();
    throw error;
  }
  return () => directory.close();
}
