import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { readBacklog } from '../../operations/status/drain.ts';
import type { RunningSystem } from '../../runtime/native/system.ts';
import { startLossyProxy } from '../clickhouse/lossy-proxy.ts';
import { frozen, type Traffic } from './pipeline.ts';

/** A running system under test, from the gateway to ClickHouse. */
export interface FaultySystem {
  system: RunningSystem;
  traffic: Traffic;
  /** What the cdc process is told from its next start on, beside what the system tells it. */
  cdcEnvironment: Record<string, string>;
}

export interface EngineFaults {
  slotName: string;
  /** Makes the reader of the slot let go of it. */
  stopReading(faulty: FaultySystem): Promise<void>;
}

/** The faults between outbox and ClickHouse that both engines have to bear, on a whole system. */
export function testEngineFaults(given: () => FaultySystem, { slotName, stopReading }: EngineFaults): void {
  test.each(['clickhouse', 'cdcProcess'] as const)(
    '%s killed with kill -9, then stopped and going on',
    { timeout: 240_000 },
    async (part) => {
      const { system, traffic } = given();
      await traffic.deliver(1_000, async () => {
        system[part]!.kill('SIGKILL');
        await system[part]!.restart();
        await frozen(system[part]!, 2_000);
      });
      await traffic.expectAllArrived();
    },
  );

  test('ClickHouse stores and its answer never comes: no event is there twice', { timeout: 240_000 }, async () => {
    const { system, traffic, cdcEnvironment } = given();
    const proxy = await startLossyProxy(system.urls.clickhouse!, { loses: 3, by: 'silence' });
    try {
      // Of its own it would wait for half a minute each time.
      cdcEnvironment.CLICKHOUSE_URL = `${proxy.url}?request_timeout=1500`;
      await system.cdcProcess!.restart();
      await traffic.deliver(600);
      await traffic.expectAllArrived();
      expect(proxy.lost).toBe(3);
    } finally {
      delete cdcEnvironment.CLICKHOUSE_URL;
      await system.cdcProcess!.restart();
      await proxy.close();
    }
  });

  test.each([
    ['advanced', 'slot_moved', 'select pg_replication_slot_advance($1, pg_current_wal_lsn())'],
    ['dropped', 'slot_missing', 'select pg_drop_replication_slot($1)'],
  ])(
    'its slot %s behind its back: it stops with the alarm %s, and a reload brings back what was skipped',
    { timeout: 240_000 },
    async (_what, reason, sql) => {
      const faulty = given();
      const { system, traffic, cdcEnvironment } = faulty;
      await stopReading(faulty);
      await traffic.deliver(300);
      await withClient(system.dsn.admin, async (client) => {
        const active = 'select from pg_replication_slots where slot_name = $1 and active';
        await expect.poll(async () => (await client.query(active, [slotName])).rowCount, { timeout: 30_000 }).toBe(0);
        await client.query(sql, [slotName]);
      });
      cdcEnvironment.CDC_ALARM_HOLD_MS = '1000';
      try {
        const end = system.cdcProcess!.restart();
        await expect(end).rejects.toThrow(new RegExp(`exit status 4[^]*"alarm":"${reason}"`));
        expect((await readBacklog(system, undefined)).events, 'nothing was skipped without a word').toBeGreaterThan(0);
        cdcEnvironment.CDC_ON_LOST_SLOT = 'reload';
        await system.cdcProcess!.restart();
        await traffic.expectAllArrived();
      } finally {
        delete cdcEnvironment.CDC_ON_LOST_SLOT;
        delete cdcEnvironment.CDC_ALARM_HOLD_MS;
        await system.cdcProcess!.restart();
      }
      await traffic.deliver(200);
      await traffic.expectAllArrived();
    },
  );

  test('a transaction of 100,000 outbox rows arrives whole', { timeout: 240_000 }, async () => {
    const { system, traffic } = given();
    const text = await readFile(
      new URL('../../benchmarks/scenarios/freshness/sql/fill_outbox.sql', import.meta.url),
      'utf8',
    );
    const written = await withClient(system.dsn.admin, async (client) => {
      const { rows } = await client.query<{ orders: number }>('select count(*)::int as orders from orders');
      const { orders } = rows[0]!;
      // Of each order an even number, so that it ends as it was.
      return (await client.query(text, [orders, 0, 2 * Math.ceil(50_000 / orders)])).rowCount;
    });
    expect(written).toBeGreaterThanOrEqual(100_000);
    await traffic.deliver(200);
    await traffic.expectAllArrived();
  });
}
