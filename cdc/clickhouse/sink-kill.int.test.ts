import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEventFactory } from '../../test/clickhouse/events.ts';
import {
  migrateWithoutTtl,
  missingClickhouse,
  startTestClickhouse,
  type TestClickhouse,
} from '../../test/clickhouse/server.ts';
import { describeIf } from '../../test/skip.ts';
import { createClickhouseSink } from './clickhouse-sink.ts';

describeIf('the sink while ClickHouse is killed', missingClickhouse(), () => {
  let clickhouse: TestClickhouse;
  beforeAll(async () => {
    clickhouse = await startTestClickhouse();
    await migrateWithoutTtl(clickhouse.client);
  });
  afterAll(() => clickhouse?.close());

  test('every confirmed batch is there once, in every table, after kills in the middle of inserts', async () => {
    const { server, client } = clickhouse;
    const event = createEventFactory();
    const sink = createClickhouseSink({ client, firstDelayMs: 5, maxDelayMs: 50 });
    const kills = 3;
    let confirmed = 0;
    let done = false;
    const writing = (async () => {
      for (let batch = 0; !done || batch < 8; batch++) {
        const events = Array.from({ length: 200 }, (_, at) =>
          event({ aggregate: at % 10 ? 'order' : 'dispute', at: `2026-01-31T12:0${batch % 10}:00.5Z`, amountMinor: 1 }),
        );
        await sink.write(events, `batch-${batch}`);
        confirmed += events.length;
      }
    })();
    for (let kill = 0; kill < kills; kill++) {
      const before = confirmed;
      await expect.poll(() => confirmed, { interval: 5, timeout: 15_000 }).toBeGreaterThan(before);
      // A different moment of the next insert each time.
      await delay(15 * kill);
      server.kill('SIGKILL');
      await server.restart();
    }
    done = true;
    await writing;

    const figures = async (query: string) =>
      (await (await client.query({ query, format: 'JSONCompactEachRow' })).json<string[]>())[0]!.map(Number);
    expect(await figures('select count(), uniqExact(event_id) from events final')).toEqual([confirmed, confirmed]);
    expect(
      await figures(
        'select (select count() from orders_latest final) + (select count() from disputes_latest final), ' +
          '(select sum(events) from rollup_minute final), toInt64((select sum(amount_minor) from rollup_day final))',
      ),
    ).toEqual([confirmed, confirmed, confirmed]);
    // Restarts, and three inserts into cold tables, on a machine that other tests keep busy.
  }, 60_000);
});
