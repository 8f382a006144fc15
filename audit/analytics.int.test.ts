import { Client } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClickhouseSink } from '../cdc/clickhouse/clickhouse-sink.ts';
import { createPool } from '../kernel/postgres/pool.ts';
import type { SinkEvent } from '../stream/sink.ts';
import { createSeed } from '../test/api/seed.ts';
import { outboxEvents } from '../test/clickhouse/outbox.ts';
import { missingClickhouse, startTestClickhouse, type TestClickhouse } from '../test/clickhouse/server.ts';
import { createDatabase, type TestDatabase } from '../test/postgres/database.ts';
import { describeIf } from '../test/skip.ts';
import { auditRun } from './audit.ts';

describeIf('the audit of analytics', missingClickhouse(), () => {
  let clickhouse: TestClickhouse;
  let database: TestDatabase;
  let events: SinkEvent[];
  beforeAll(async () => {
    [clickhouse, database] = await Promise.all([startTestClickhouse(), createDatabase('plain')]);
    const logger = pino({ level: 'silent' });
    const pool = createPool({ dsn: database.dsn, applicationName: 'seed', logger, max: 2, pipeline: true });
    const seed = createSeed(pool, 'plain');
    for (let at = 0; at < 5; at++) await seed.order({ orderId: `o${at}`, status: 'success' });
    await pool.end();
    const client = new Client({ connectionString: database.dsn });
    await client.connect();
    events = await outboxEvents(client);
    await client.end();
  });
  afterAll(async () => {
    await database?.drop();
    await clickhouse?.close();
  });

  const audit = async (stallMs: number) => {
    const options = { dsn: database.dsn, topology: 'plain', stallMs } as const;
    const result = await auditRun({ ...options, clickhouseUrl: clickhouse.server.url });
    return { ok: result.ok, i6: result.invariants.find(({ id }) => id === 'I6')! };
  };

  test('names what is missing, and waits for what is on its way', async () => {
    const sink = createClickhouseSink({ client: clickhouse.client });
    const [late, ...others] = events;
    await sink.write(others, 'others');
    const { ok, i6 } = await audit(0);
    expect(ok).toBe(false);
    expect(i6).toMatchObject({ checked: events.length + 5, ok: false });
    expect(i6.examples.join('\n')).toContain(`${late!.envelope.event_id}: event missing`);

    const waiting = audit(20_000);
    await sink.write([late!], 'late');
    expect(await waiting).toMatchObject({ ok: true, i6: { violations: 0, examples: [] } });
  });

  test('without a ClickHouse there is no I6', async () => {
    const { invariants } = await auditRun({ dsn: database.dsn, topology: 'plain' });
    expect(invariants.map(({ id }) => id)).not.toContain('I6');
  });
});
