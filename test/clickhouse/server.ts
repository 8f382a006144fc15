import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { migrateClickhouse } from '../../cdc/clickhouse/migrate.ts';
import { type ClickhouseServer, startClickhouse } from '../../runtime/native/clickhouse.ts';
import { missingChdb } from '../../runtime/native/missing-chdb.ts';
import { createRunDirectory } from '../../runtime/native/run-directory.ts';

/** For `describeIf`: what is missing to start ClickHouse here, or undefined. */
export function missingClickhouse(): string | undefined {
  return missingChdb();
}

export interface TestClickhouse {
  server: ClickhouseServer;
  client: ClickHouseClient;
  /** First column of the first row, as text. */
  value(query: string): Promise<string>;
  close(): Promise<void>;
}

/**
 * The sink's tables without their TTL, for tests whose events have dates of their own: what was written in one year
 * would be dropped by the merges of a later one.
 */
export async function migrateWithoutTtl(client: ClickHouseClient): Promise<void> {
  await migrateClickhouse(client);
  for (const table of ['events', 'rollup_minute', 'rollup_day']) {
    await client.command({ query: `alter table ${table} remove ttl` });
  }
}

/** A ClickHouse of its own, up in half a second. Call it in `beforeAll`, `close` in `afterAll`. */
export async function startTestClickhouse(): Promise<TestClickhouse> {
  const run = await createRunDirectory();
  try {
    const server = await startClickhouse({ runDirectory: run.path });
    const client = createClient({ url: server.url, log: { level: ClickHouseLogLevel.OFF } });
    return {
      server,
      client,
      value: async (query) => {
        const answer = await client.query({ query, format: 'TabSeparated' });
        return (await answer.text()).split(/[\t\n]/, 1)[0]!;
      },
      close: async () => {
        await client.close();
        await server.stop();
        await run.close();
      },
    };
  } catch (error) {
    await run.close();
    throw error;
  }
}
