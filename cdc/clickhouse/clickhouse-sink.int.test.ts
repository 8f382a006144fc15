// Longer than 300 lines because one ClickHouse serves all of these tests.
import { readdir } from 'node:fs/promises';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { EventError, type Sink, type SinkEvent } from '../../stream/sink.ts';
import { createEventFactory } from '../../test/clickhouse/events.ts';
import { startLossyProxy } from '../../test/clickhouse/lossy-proxy.ts';
import {
  migrateWithoutTtl,
  missingClickhouse,
  startTestClickhouse,
  type TestClickhouse,
} from '../../test/clickhouse/server.ts';
import { describeIf } from '../../test/skip.ts';
import { createClickhouseSink } from './clickhouse-sink.ts';
import { migrateClickhouse } from './migrate.ts';

describeIf('the sink on ClickHouse', missingClickhouse(), () => {
  let clickhouse: TestClickhouse;
  let sink: Sink;
  let event = createEventFactory();
  beforeAll(async () => {
    clickhouse = await startTestClickhouse();
    await migrateWithoutTtl(clickhouse.client);
    sink = createClickhouseSink({ client: clickhouse.client, firstDelayMs: 5, maxDelayMs: 50 });
  });
  afterAll(() => clickhouse?.close());
  beforeEach(async () => {
    event = createEventFactory();
    for (const table of ['events', 'orders_latest', 'disputes_latest', 'rollup_minute', 'rollup_day']) {
      await clickhouse.client.command({ query: `truncate table ${table}` });
    }
  });

  const read = async <Row>(query: string): Promise<Row[]> =>
    (await clickhouse.client.query({ query, format: 'JSONEachRow' })).json<Row>();
  const rollups = () =>
    read(`select type, status, currency, toString(events) as events, toString(amount_minor) as amount_minor
          from rollup_day final order by type, status, currency`);

  /** Sixty events over three minutes of two days, orders and disputes. */
  const history = (): SinkEvent[] =>
    Array.from({ length: 60 }, (_, at) => {
      const minute = ['2026-01-30T23:59', '2026-01-31T00:00', '2026-01-31T12:34'][at % 3];
      return event({
        aggregate: at % 4 === 0 ? 'dispute' : 'order',
        status: at % 4 === 0 ? 'open' : ['created', 'success'][at % 2]!,
        at: `${minute}:${String(at).padStart(2, '0')}.000${at}Z`.replace(/\.(\d+)Z/, (_m, f) => `.${f.slice(0, 6)}Z`),
        amountMinor: 100 + at,
        currency: at % 5 === 0 ? 'JPY' : 'EUR',
      });
    });
  const chunks = (events: SinkEvent[], size: number) =>
    Array.from({ length: Math.ceil(events.length / size) }, (_, at) => events.slice(at * size, (at + 1) * size));

  test('migrations run once, and a changed one is refused', async () => {
    const { client } = clickhouse;
    expect(await migrateClickhouse(client)).toEqual([]);
    await client.command({
      query: "alter table schema_migrations update sha256 = 'other' where name = '0004_orders_latest.sql'",
      clickhouse_settings: { mutations_sync: '1' },
    });
    await expect(migrateClickhouse(client)).rejects.toThrow('0004_orders_latest.sql');
    await client.command({ query: 'truncate table schema_migrations' });
    const files = (await readdir(new URL('migrations/', import.meta.url))).filter((name) => /^\d{4}_/.test(name));
    expect(await migrateClickhouse(client)).toEqual(files.sort());
  });

  test('nothing of a confirmed batch waits for the disk', async () => {
    const tables = await read<{ name: string; synced: number }>(
      `select name, engine_full like '%fsync_after_insert = 1%' as synced from system.tables
       where database = currentDatabase() and engine like '%MergeTree' order by name`,
    );
    expect(tables.length).toBeGreaterThan(4);
    expect(tables.filter(({ synced }) => synced !== 1)).toEqual([]);
  });

  test('an event arrives with everything it carries', async () => {
    const given = event({ amountMinor: '9007199254740993', status: 'updated', after: { status: 'success' } });
    given.times = { sentAtMs: 1, acceptedAtMs: 2, committedAtMs: 3, readAtMs: 4, publishedAtMs: 5.4 };
    await sink.write([given], 'a');
    expect(
      await read(
        `select * except (payload, sunk_at), toString(amount_minor) as amount_minor, payload = {payload: String} as same
                  from events`.replace('{payload: String}', `'${given.envelope.payload.replaceAll("'", "\\'")}'`),
      ),
    ).toEqual([
      expect.objectContaining({
        event_id: given.envelope.event_id,
        type: 'order.webhook_received',
        aggregate_id: given.envelope.aggregate_id,
        sequence: 1,
        occurred_at: '2026-01-31 12:00:00.123456',
        status: 'updated',
        after_status: 'success',
        amount_minor: '9007199254740993',
        currency: 'EUR',
        provider: 'silvergate',
        verdict: 'applied',
        same: 1,
        sent_at: '1970-01-01 00:00:00.001',
        committed_at: '1970-01-01 00:00:00.003',
        published_at: '1970-01-01 00:00:00.005',
      }),
    ]);
  });

  test('what the event does not know is null or empty', async () => {
    await sink.write([event({ kind: 'hold_set', amountMinor: null, provider: null })], 'nulls');
    const [row] = await read<Record<string, unknown>>('select amount_minor, provider, sent_at from events');
    expect(row).toEqual({ amount_minor: null, provider: '', sent_at: null });
  });

  test('the same batches again, in other chunks and another order, change nothing', async () => {
    const events = history();
    for (const [at, chunk] of chunks(events, 60).entries()) await sink.write(chunk, `whole-${at}`);
    const before = await rollups();
    expect(before.length).toBeGreaterThan(4);
    const minutes = await read('select * except version from rollup_minute final order by all');
    for (const [at, chunk] of chunks(events, 7).entries()) await sink.write(chunk, `sevens-${at}`);
    for (const [at, chunk] of chunks(events.toReversed(), 11).entries()) await sink.write(chunk, `back-${at}`);
    expect(await clickhouse.value('select count() from events final')).toBe('60');
    expect(await rollups()).toEqual(before);
    expect(await read('select * except version from rollup_minute final order by all')).toEqual(minutes);
    const [sums] = await read<{ events: string; amount: string }>(
      `select toString(sum(events)) as events, toString(sum(amount_minor)) as amount from rollup_day final`,
    );
    expect(sums).toEqual({ events: '60', amount: String(60 * 100 + (60 * 59) / 2) });
    expect(await clickhouse.value('select count() from orders_latest final')).toBe('45');
  });

  test('copies are really stored: a view that counts would count them again', async () => {
    const { client, value } = clickhouse;
    await client.command({
      query: `create materialized view naive engine = SummingMergeTree order by type
              as select type, count() as events from events group by type`,
    });
    const events = history();
    await sink.write(events, 'first');
    await sink.write(events.slice(0, 30), 'second');
    expect(await value('select sum(events) from naive')).toBe('90');
    expect(await value('select sum(events) from rollup_day final')).toBe('60');
    await client.command({ query: 'drop table naive sync' });
  });

  test('the same token is stored once', async () => {
    const events = history();
    await sink.write(events, 'token');
    await sink.write(events, 'token');
    expect(await clickhouse.value('select count() from events')).toBe('60');
    expect(await clickhouse.value('select count() from orders_latest')).toBe('45');
  });

  test('writers at once leave right roll-ups', async () => {
    const events = Array.from({ length: 200 }, () => event({}));
    await Promise.all(chunks(events, 20).map((chunk, at) => sink.write(chunk, `parallel-${at}`)));
    expect(await rollups()).toEqual([
      { type: 'order.webhook_received', status: 'created', currency: 'EUR', events: '200', amount_minor: '200000' },
    ]);
  });

  test('a clock that was set back does not freeze the roll-ups', async () => {
    await sink.write([event({})], 'before');
    for (const table of ['rollup_minute', 'rollup_day']) {
      // As if it had been an hour later when these were written.
      const query = `insert into ${table} select * replace (version + 3600000000000 as version) from ${table} final`;
      await clickhouse.client.command({ query });
    }
    await sink.write([event({})], 'after');
    await sink.write([event({})], 'and again');
    for (const table of ['rollup_minute', 'rollup_day']) {
      expect(await clickhouse.value(`select sum(events) from ${table} final`)).toBe('3');
    }
  });

  test('an event that was altered at the source replaces its copy, in the roll-ups too', async () => {
    const first = event({ amountMinor: 5, currency: 'USD' });
    await sink.write([first], 'before');
    const payload = first.envelope.payload.replaceAll('USD', 'EUR').replaceAll(':5', ':7');
    await sink.write([{ ...first, envelope: { ...first.envelope, payload } }], 'after');
    expect((await rollups()).filter((row) => (row as { events: string }).events !== '0')).toEqual([
      { type: 'order.webhook_received', status: 'created', currency: 'EUR', events: '1', amount_minor: '7' },
    ]);
  });

  test('the newest sequence stays, whatever the order of arrival, and a stale event moves nothing', async () => {
    const states = [
      event({ id: 'o1', sequence: 1, status: 'created', amountMinor: null, currency: '' }),
      event({ id: 'o1', sequence: 2, status: 'success', amountMinor: 700 }),
      event({
        id: 'o1',
        sequence: 3,
        status: 'updated',
        verdict: 'stale',
        after: { status: 'success' },
        amountMinor: 700,
      }),
    ];
    for (const [at, one] of states.toReversed().entries()) await sink.write([one], `state-${at}`);
    const [row] = await read('select order_id, status, amount_minor, currency, sequence from orders_latest final');
    expect(row).toEqual({ order_id: 'o1', status: 'success', amount_minor: 700, currency: 'EUR', sequence: 3 });
  });

  test.each([
    ['event_id', 'no uuid'],
    ['event_id', '8c83cbbc+cd7f-4e3c-bb76-6142f21718ca'],
    ['event_id', '8c83cbbc-cd7f-4e3c-bb76-6142f21718cé'],
    ['occurred_at', 'yesterday'],
    ['occurred_at', '2026-13-01T00:00:00Z'],
    ['occurred_at', '1969-12-31T23:59:59.999999Z'],
    ['occurred_at', '2105-01-01T00:00:00Z'],
    ['occurred_at', '2107-06-01T12:00:00Z'],
    ['sequence', -1n],
    ['sequence', 2n ** 64n],
  ])('%s %s is refused at once, and nothing of the batch stays', async (name, value) => {
    const broken = event();
    broken.envelope = { ...broken.envelope, [name]: value };
    await expect(sink.write([event(), broken], 'broken')).rejects.toBeInstanceOf(EventError);
    expect(await clickhouse.value('select count() from events')).toBe('0');
  });

  test('the last time that is taken is kept, in events and roll-ups', async () => {
    await sink.write([event({ at: '2104-12-31T23:59:59.999999Z' })], 'late');
    for (const table of ['events', 'rollup_minute', 'rollup_day']) {
      await clickhouse.client.command({ query: `optimize table ${table} final` });
      expect(await clickhouse.value(`select count() from ${table} final`)).toBe('1');
    }
  });

  test('times of other zones and with every fraction, texts of every length and script', async () => {
    const given = ['2026-01-30T23:59:59.999999Z', '2026-01-31T12:00:00.5+05:30', '2026-01-31T12:00:00Z'].map(
      (at, index) => {
        const one = event({ at });
        one.envelope.user_id = ['ä€😀'.repeat(index), 'x'.repeat(127 + index), '\0"\\\n'][index]!;
        one.envelope.payload = JSON.stringify({ note: '✓'.repeat([0, 6_000, 400_000][index]!) });
        return one;
      },
    );
    given[0]!.times = { committedAtMs: -1_500.6, readAtMs: 1_795_248_675_588.25 };
    await sink.write(given, 'extremes');
    const rows = await read<Record<string, unknown>>(
      `select occurred_at, user_id, payload, toUnixTimestamp64Milli(committed_at) as committed, sent_at, accepted_at,
         toString(toUnixTimestamp64Milli(read_at)) as read
       from events order by occurred_at`,
    );
    expect(rows.map(({ occurred_at }) => occurred_at)).toEqual([
      '2026-01-30 23:59:59.999999',
      '2026-01-31 06:30:00.500000',
      '2026-01-31 12:00:00.000000',
    ]);
    for (const [index, { envelope }] of given.entries()) {
      expect(rows[index]).toMatchObject({ user_id: envelope.user_id, payload: envelope.payload });
    }
    expect(rows[0]).toMatchObject({ committed: -1501, read: '1795248675588', sent_at: null, accepted_at: null });
  });

  test.each([
    // The first is what PostgreSQL prints for a 1e308 in a provider's metadata.
    `1${'0'.repeat(308)}`,
    `-${'9'.repeat(30)}`,
    '18446744073709551616',
    '-9223372036854775809',
    '18446744073709551615, -9223372036854775808',
    `0.${'0'.repeat(40)}12345678901234567890`,
    '"\\\\", "\\"12345678901234567890123, 1", 12345678901234567890123',
  ])('numbers of any size in a payload hide nothing of it: %s', async (numbers) => {
    const given = event({ status: 'success', amountMinor: '9007199254740993', currency: 'USD' });
    given.envelope.payload = `{"meta": [${numbers}], ${given.envelope.payload.slice(1)}`;
    await sink.write([given], `numbers ${numbers}`);
    const [row] = await read(
      `select status, after_status, toString(amount_minor) as amount_minor, currency,
         JSONExtractArrayRaw(payload, 'meta') as numbers from events`,
    );
    expect(row).toMatchObject({ status: 'success', after_status: 'success', amount_minor: '9007199254740993' });
    const found = (row as { numbers: string[] }).numbers.map((text) => JSON.parse(text));
    expect(found).toEqual(JSON.parse(`[${numbers}]`));
    expect(await clickhouse.value('select status from orders_latest final')).toBe('success');
  });

  test('an outage is waited for', async () => {
    const { server } = clickhouse;
    await sink.write([event()], 'before the outage');
    server.kill('SIGKILL');
    const retries: unknown[] = [];
    const patient = createClickhouseSink({
      client: clickhouse.client,
      firstDelayMs: 5,
      maxDelayMs: 50,
      onRetry: (error) => retries.push(error),
    });
    const written = patient.write([event()], 'during the outage');
    await expect.poll(() => retries.length, { timeout: 10_000 }).toBeGreaterThan(2);
    await server.restart();
    await written;
    expect(await clickhouse.value('select count() from events')).toBe('2');
    expect(await clickhouse.value('select sum(events) from rollup_day final')).toBe('2');
  });

  test('a caller that gives up is not kept', async () => {
    const elsewhere = createClient({ url: 'http://127.0.0.1:9', log: { level: ClickHouseLogLevel.OFF } });
    const stop = new AbortController();
    const impatient = createClickhouseSink({ client: elsewhere, firstDelayMs: 60_000, onRetry: () => stop.abort() });
    await expect(impatient.write([event()], 'x', stop.signal)).rejects.toMatchObject({ name: 'AbortError' });
    await impatient.close();
  });

  test('an answer that is lost after the insert does not double it', async () => {
    const proxy = await startLossyProxy(clickhouse.server.url, { loses: 1, by: 'breaking' });
    const client = createClient({
      url: proxy.url,
      log: { level: ClickHouseLogLevel.OFF },
      keep_alive: { enabled: false },
    });
    const retries: unknown[] = [];
    const unlucky = createClickhouseSink({ client, firstDelayMs: 5, onRetry: (error) => retries.push(error) });
    await unlucky.write([event(), event()], 'lost answer');
    expect(proxy.lost).toBe(1);
    expect(retries).toHaveLength(1);
    expect(await clickhouse.value('select count() from events')).toBe('2');
    expect(await clickhouse.value('select count() from orders_latest')).toBe('2');
    expect(await clickhouse.value('select sum(events) from rollup_day final')).toBe('2');
    await unlucky.close();
    await proxy.close();
  });

  test('many small batches do not pile up parts', async () => {
    for (let at = 0; at < 30; at++) await sink.write([event()], `small-${at}`);
    const parts = () => clickhouse.value("select count() from system.parts where active and table = 'events'");
    await expect.poll(async () => Number(await parts()), { timeout: 10_000 }).toBeLessThan(15);
    // Thirty inserts into five tables each, every one flushed to disk.
  }, 60_000);
});
