import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostgresServer, startPostgres } from '../../runtime/native/postgres.ts';
import { throwawaySettings } from '../../runtime/native/postgres-settings.ts';
import { createRunDirectory, type RunDirectory } from '../../runtime/native/run-directory.ts';
import { prepareWalFiles } from './wal-files.ts';

let run: RunDirectory;
let server: PostgresServer;
let client: Client;

beforeAll(async () => {
  run = await createRunDirectory();
  const settings = { ...throwawaySettings, min_wal_size: '256MB', max_wal_size: '512MB' };
  server = await startPostgres({ runDirectory: run.path, name: 'wal', settings });
  client = new Client({ connectionString: server.dsn() });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await server.stop();
  await run.close();
});

test('files ahead of the one that is written are ready to be written over', async () => {
  const spare = async () => {
    const { rows } = await client.query(
      'select count(*)::int as spare from pg_ls_waldir() where name > pg_walfile_name(pg_current_wal_lsn())',
    );
    return rows[0].spare as number;
  };
  expect(await spare()).toBeLessThan(2);
  await prepareWalFiles(client, 6);
  expect(await spare()).toBeGreaterThanOrEqual(5);
});
