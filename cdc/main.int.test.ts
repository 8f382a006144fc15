import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createClient } from '@clickhouse/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withClient } from '../kernel/postgres/with-client.ts';
import { type ClickhouseServer, startClickhouse } from '../runtime/native/clickhouse.ts';
import { missingChdb } from '../runtime/native/missing-chdb.ts';
import { type PostgresServer, startPostgres } from '../runtime/native/postgres.ts';
import { throwawaySettings } from '../runtime/native/postgres-settings.ts';
import { createRunDirectory, type RunDirectory } from '../runtime/native/run-directory.ts';
import { type Service, startService } from '../runtime/native/service.ts';
import { migrate } from '../sql/migrate.ts';
import { insertOutbox } from '../test/cdc/outbox.ts';
import { describeIf } from '../test/skip.ts';

describeIf('the cdc process between PostgreSQL and ClickHouse', missingChdb(), () => {
  let run: RunDirectory;
  let server: PostgresServer;
  let clickhouse: ClickhouseServer;
  let cdc: Service;
  let dsn: string;
  let environment: Record<string, string>;
  const entry = path.join(import.meta.dirname, 'main.ts');
  const poll = { timeout: 20_000, interval: 100 };

  beforeAll(async () => {
    run = await createRunDirectory();
    [server, clickhouse] = await Promise.all([
      startPostgres({ runDirectory: run.path, name: 'primary', settings: throwawaySettings }),
      startClickhouse({ runDirectory: run.path }),
    ]);
    dsn = server.dsn();
    await migrate({ dsn, topology: 'partitioned' });
    await withClient(dsn, async (client) => {
      await client.query(`alter role lab_cdc login password 'test'`);
      await insertOutbox(client, { count: 1_000, prefix: 'before' });
    });
    environment = {
      TOPOLOGY: 'partitioned',
      DATABASE_URL: server.dsn('postgres', 'lab_cdc', 'test'),
      CLICKHOUSE_URL: clickhouse.url,
      CDC_WATCH_MS: '200',
    };
    cdc = await startService({
      name: 'cdc',
      entry,
      runDirectory: run.path,
      readyTimeoutMs: 30_000,
      environment: (port) => ({ ...environment, CDC_PORT: String(port) }),
    });
  });
  afterAll(() => run.close());

  const write = (count: number, prefix: string) => withClient(dsn, (client) => insertOutbox(client, { count, prefix }));

  async function stored(): Promise<number> {
    const client = createClient({ url: clickhouse.url });
    try {
      const answer = await client.query({ query: 'select count() as count from events final', format: 'JSONEachRow' });
      const [row] = await answer.json<{ count: string }>();
      return Number(row!.count);
    } finally {
      await client.close();
    }
  }

  async function status(): Promise<Record<string, unknown>> {
    const response = await fetch(`${cdc.url}/status`);
    return ((await response.json()) as { data: Record<string, unknown> }).data;
  }

  test('loads what was there, then streams, and tells how far it is', async () => {
    await expect.poll(stored, poll).toBe(1_000);
    await write(500, 'streamed');
    await expect.poll(stored, poll).toBe(1_500);
    await expect
      .poll(status, poll)
      .toMatchObject({ engine: 'native', state: 'streaming', alarm: null, events: 1_500, lag_ms: 0 });
    expect(await status()).toMatchObject({
      slot_wal_status: 'reserved',
      freshness: { count: 500 },
      stages: { committed_to_read: { count: 500 }, read_to_sunk: { count: 500 } },
      slow_stage: expect.stringMatching(/^(committed_to_read|read_to_sunk)$/),
    });
    const metrics = await (await fetch(`${cdc.url}/metrics`)).text();
    expect(metrics).toMatch(/cdc_events_total\{[^}]*\} 1500/);
    expect(metrics).toMatch(/cdc_slot_wal_status\{[^}]*wal_status="reserved"[^}]*\} 1/);
    expect(metrics).toMatch(/pipeline_stage_seconds_count\{[^}]*stage="committed_to_sunk"[^}]*\} 500/);
  });

  test('ClickHouse away: it is not ready, keeps its slot, and catches up by itself', async () => {
    await clickhouse.stop();
    await write(500, 'away');
    await expect.poll(async () => (await fetch(`${cdc.url}/health/ready`)).status, poll).toBe(503);
    await expect.poll(async () => Number((await status()).lag_ms), poll).toBeGreaterThan(500);
    await clickhouse.restart();
    await expect.poll(stored, poll).toBe(2_000);
    await expect.poll(async () => (await fetch(`${cdc.url}/health/ready`)).status, poll).toBe(200);
  });

  test('killed while it writes, it loses and doubles nothing', async () => {
    for (let round = 0; round < 2; round += 1) {
      await write(5_000, `kill${round}`);
      cdc.kill('SIGKILL');
      await cdc.restart();
      await expect.poll(stored, poll).toBe(2_000 + 5_000 * (round + 1));
    }
  });

  test('a lost slot: the alarm stands in metrics and health, and then in the exit status', async () => {
    await cdc.stop();
    await withClient(dsn, async (client) => {
      await expect
        .poll(async () => (await client.query('select from pg_replication_slots where active')).rowCount, poll)
        .toBe(0);
      await client.query(`select pg_drop_replication_slot('lab_cdc')`);
    });
    const child = spawn(process.execPath, [entry], {
      env: { PATH: process.env.PATH, ...environment, CDC_PORT: '0', CDC_ALARM_HOLD_MS: '2000' },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    let log = '';
    child.stdout!.on('data', (chunk) => {
      log += chunk;
    });
    const exited = once(child, 'exit');
    const [{ listeningPort }] = (await once(child, 'message')) as [{ listeningPort: number }];
    const url = `http://127.0.0.1:${listeningPort}`;
    await expect
      .poll(async () => (await fetch(`${url}/metrics`)).text(), poll)
      .toMatch(/cdc_alarm\{[^}]*reason="slot_missing"[^}]*\} 1/);
    expect((await fetch(`${url}/health/ready`)).status).toBe(503);
    expect(await exited).toEqual([4, null]);
    const line = log.split('\n').find((text) => text.includes('"alarm":"slot_missing"'));
    expect(JSON.parse(line!)).toMatchObject({ level: 'fatal', remedy: expect.stringContaining('CDC_ON_LOST_SLOT') });
    expect(log).not.toContain('test@');
  });
});
