import type { Client } from 'pg';
import { formatLsn, type Lsn, parseLsn } from '../../kernel/postgres/lsn.ts';
import { statement } from '../../kernel/postgres/statement.ts';
import { CdcAlarm } from '../alarm.ts';

const readSql = statement(new URL('./sql/read_position.sql', import.meta.url));
const beginSql = statement(new URL('./sql/begin_position.sql', import.meta.url));
const beginLoadSql = statement(new URL('./sql/begin_load.sql', import.meta.url));
const boundLoadSql = statement(new URL('./sql/bound_load.sql', import.meta.url));
const advanceLoadSql = statement(new URL('./sql/advance_load.sql', import.meta.url));
const endLoadSql = statement(new URL('./sql/end_load.sql', import.meta.url));
const storeSql = statement(new URL('./sql/store_position.sql', import.meta.url));

/** How far the reader of a slot has come, as `cdc_positions` holds it. */
export interface Position {
  state: 'creating' | 'loading' | 'streaming';
  systemIdentifier: string;
  /** Everything before it is in the sink; null while the slot is made. */
  confirmedLsn: Lsn | null;
  /** The initial load has sunk all rows up to this event id. */
  loadAfter: string | null;
  /** The last event id that the initial load has to read; null until that is known. */
  loadUntil: string | null;
}

export async function readPosition(client: Client, slotName: string): Promise<Position | undefined> {
  const { rows } = await readSql<{
    state: Position['state'];
    system_identifier: string;
    confirmed_lsn: string | null;
    load_after: string | null;
    load_until: string | null;
  }>(client, [slotName]);
  const row = rows[0];
  if (!row) return undefined;
  return {
    state: row.state,
    systemIdentifier: row.system_identifier,
    confirmedLsn: row.confirmed_lsn === null ? null : parseLsn(row.confirmed_lsn)!,
    loadAfter: row.load_after,
    loadUntil: row.load_until,
  };
}

/** Says that a slot is about to be made, before it is: a crash in between leaves a slot that was never read. */
export async function beginPosition(client: Client, slotName: string, systemIdentifier: string): Promise<void> {
  await beginSql(client, [slotName, systemIdentifier]);
}

export async function beginLoad(client: Client, slotName: string, consistentLsn: Lsn): Promise<void> {
  await beginLoadSql(client, [slotName, formatLsn(consistentLsn)]);
}

/** Fixes where the load ends. @returns the last event id, or null for an empty outbox. */
export async function boundLoad(client: Client, slotName: string): Promise<string | null> {
  const { rows } = await boundLoadSql<{ load_until: string | null }>(client, [slotName]);
  return rows[0]?.load_until ?? null;
}

export async function advanceLoad(client: Client, slotName: string, loadAfter: string): Promise<void> {
  expectRow(await advanceLoadSql(client, [slotName, loadAfter]), slotName);
}

export async function endLoad(client: Client, slotName: string): Promise<void> {
  expectRow(await endLoadSql(client, [slotName]), slotName);
}

/** Resolves once it is durable. Only then may the slot be told. */
export async function storePosition(client: Client, slotName: string, confirmed: Lsn): Promise<void> {
  expectRow(await storeSql(client, [slotName, formatLsn(confirmed)]), slotName);
}

function expectRow(result: { rowCount: number | null }, slotName: string): void {
  if (result.rowCount === 1) return;
  throw new CdcAlarm(
    'slot_unknown',
    `The position of slot ${slotName} in cdc_positions was removed or reset while it was read.`,
    'Find out which process did that. Start once with CDC_ON_LOST_SLOT=reload to take a new slot and load the outbox again.',
  );
}
