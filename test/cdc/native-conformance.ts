import { type PostgresServer, startPostgres } from '../../runtime/native/postgres.ts';
import { throwawaySettings } from '../../runtime/native/postgres-settings.ts';
import { createRunDirectory, type RunDirectory } from '../../runtime/native/run-directory.ts';
import { describeEngine } from './conformance.ts';
import { openNativePipeline } from './native-pipeline.ts';

/** The native engine held to the contract of both engines, on a server of its own. One file a topology: two run at once. */
export function describeNativeEngine(topology: 'plain' | 'partitioned'): void {
  let run: RunDirectory;
  let server: PostgresServer;

  describeEngine('native', {
    topologies: [topology],
    patienceMs: 15_000,
    beforeAll: async () => {
      run = await createRunDirectory();
      server = await startPostgres({ runDirectory: run.path, name: 'cdc', settings: throwawaySettings });
    },
    afterAll: () => run.close(),
    open: (wanted, storeUrl) => openNativePipeline(server, wanted, storeUrl),
  });
}
