import { escapeIdentifier } from 'pg';
import { withClient } from '../../../kernel/postgres/with-client.ts';
import { migrate } from '../../../sql/migrate.ts';
import { withDatabase } from '../database-url.ts';
import type { Arm } from '../scenario.ts';
import { timelineSql } from './sql.ts';

export type PhysicalOrder = 'random' | 'time';
export const physicalOrders = ['random', 'time'] as const;

/** The month that the events lie in; fixed, so that every run of a seed has the same rows. */
export const monthStart = '2026-01-01T00:00:00Z';
export const monthDays = 30;

export interface DatasetSize {
  events: number;
  disputes: number;
}

/** 200,000 events at scale 1, the published case's five million at 25. */
export function datasetSize(scale: number): DatasetSize {
  const disputes = Math.round(40_000 * scale);
  return { events: disputes * 5, disputes };
}

/** The database of a physical order: beside the arm's own, so that the audit of that one is not about invented rows. */
export function databaseName(order: PhysicalOrder): string {
  return `timeline_${order}`;
}

/** Makes a database with the arm's own schema and fills it with one month of dispute events. */
export async function createDataset(arm: Arm, order: PhysicalOrder, size: DatasetSize): Promise<void> {
  const name = databaseName(order);
  await withClient(arm.system.dsn.admin, (client) => client.query(`create database ${escapeIdentifier(name)}`));
  const dsn = withDatabase(arm.system.dsn.admin, name);
  await migrate({ dsn, topology: arm.topology });
  await withClient(dsn, async (client) => {
    await client.query("set timezone = 'UTC'; set work_mem = '128MB'; set synchronous_commit = off");
    await client.query(await timelineSql('create_buffercache'));
    await client.query("select ensure_partitions('dispute_events', $1::date, $1::date + $2::integer)", [
      monthStart,
      monthDays,
    ]);
    await client.query(await timelineSql('seed_orders'), [size.disputes, monthStart, monthDays]);
    await client.query(await timelineSql(`seed_events.${order}`), [size.events, monthStart, monthDays]);
    await client.query(await timelineSql('seed_disputes'));
    // Every table: autovacuum would come to the ones that are left during the measurement.
    await client.query('vacuum (analyze)');
    // Dirty pages can't be dropped from a cache, and writing them must not fall into a measurement.
    await client.query('checkpoint');
  });
}
