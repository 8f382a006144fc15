import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { type PostgresServer, startPostgres } from '../../runtime/native/postgres.ts';
import { throwawaySettings } from '../../runtime/native/postgres-settings.ts';
import { createRunDirectory, type RunDirectory } from '../../runtime/native/run-directory.ts';
import { type NativePipeline, openNativePipeline } from '../../test/cdc/native-pipeline.ts';
import { insertOutbox } from '../../test/cdc/outbox.ts';
import { type Store, startStore } from '../../test/cdc/store.ts';

let run: RunDirectory;
let server: PostgresServer;
let store: Store;
let pipeline: NativePipeline;

const poll = { timeout: 30_000, interval: 50 };

beforeAll(async () => {
  run = await createRunDirectory();
  server = await startPostgres({ runDirectory: run.path, name: 'cdc', settings: throwawaySettings });
});
afterAll(() => run.close());

beforeEach(async () => {
  store = await startStore();
  pipeline = await openNativePipeline(server, 'partitioned', store.url);
});
afterEach(async () => {
  await pipeline.close();
  await store.close();
});

const write = (count: number, prefix: string) =>
  withClient(pipeline.dsn, (client) => insertOutbox(client, { count, prefix }));

const arrived = (count: number) =>
  expect.poll(() => store.events.size, { ...poll, message: pipeline.log() }).toBe(count);

test('memory stays bounded: 100,000 large events in one transaction before a sink that is away', async () => {
  await pipeline.start();
  await write(10, 'a');
  await arrived(10);
  const { peakRssBytes: before } = await pipeline.engine().status();
  store.mode = 'away';
  // 450 MB in the stream, with limits of 4 MB a batch.
  await withClient(pipeline.dsn, async (client) => {
    await client.query('begin');
    for (let part = 0; part < 10; part += 1) {
      await insertOutbox(client, { count: 10_000, prefix: `large${part}`, padding: 'y'.repeat(4_000) });
    }
    await client.query('commit');
  });
  const { requests } = store;
  await expect.poll(() => store.requests, poll).toBeGreaterThan(requests + 20);
  const { peakRssBytes: waiting } = await pipeline.engine().status();
  store.mode = 'take';
  await expect.poll(() => store.events.size, { ...poll, timeout: 90_000, interval: 200 }).toBe(100_010);
  const { peakRssBytes: after } = await pipeline.engine().status();
  expect(pipeline.engine().exit()).toBeUndefined();
  // Buffers outside the heap are freed late, so this is loose; it is still well below the transaction's size.
  expect(waiting - before, 'while the sink is away').toBeLessThan(200 * 1024 * 1024);
  expect(after - before, 'while it drains').toBeLessThan(320 * 1024 * 1024);
}, 180_000);
