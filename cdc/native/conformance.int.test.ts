import { type PostgresServer, startPostgres } from '../../lab/native/postgres.ts';
import { throwawaySettings } from '../../lab/native/postgres-settings.ts';
import { createRunDirectory, type RunDirectory } from '../../lab/native/run-directory.ts';
import { describeEngine } from '../../test/cdc/conformance.ts';
import { openNativePipeline } from '../../test/cdc/native-pipeline.ts';

let run: RunDirectory;
let server: PostgresServer;

describeEngine('native', {
  topologies: ['plain', 'partitioned'],
  patienceMs: 15_000,
  beforeAll: async () => {
    run = await createRunDirectory();
    server = await startPostgres({ runDirectory: run.path, name: 'cdc', settings: throwawaySettings });
  },
  afterAll: () => run.close(),
  open: (topology, storeUrl) => openNativePipeline(server, topology, storeUrl),
});
