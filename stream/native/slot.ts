import type { Client } from 'pg';
import { formatLsn, type Lsn, parseLsn } from '../../kernel/postgres/lsn.ts';
import { statement } from '../../kernel/postgres/statement.ts';
import { CdcAlarm } from '../alarm.ts';
import { beginLoad, beginPosition, type Position, readPosition } from './positions.ts';

const slotStatusSql = statement(new URL('./sql/slot_status.sql', import.meta.url));

export interface SlotStatus {
  database: string | null;
  plugin: string | null;
  active: boolean;
  /** Process of the server that reads the slot for its client; null while it is not active. */
  activePid: number | null;
  confirmedLsn: Lsn | null;
  /** `reserved`, `extended`, `unreserved` or `lost`: https://www.postgresql.org/docs/current/view-pg-replication-slots.html */
  walStatus: string | null;
  invalidationReason: string | null;
  /** WAL that the slot's reader has not confirmed. */
  lagBytes: number;
  /** WAL that the server keeps for the slot. */
  retainedBytes: number;
}

/** The slot as the server sees it; undefined where it does not exist. */
export async function slotStatus(client: Client, slotName: string): Promise<SlotStatus | undefined> {
  const { rows } = await slotStatusSql<Record<string, string | null> & { active: boolean; active_pid: number | null }>(
    client,
    [slotName],
  );
  const row = rows[0];
  if (!row) return undefined;
  return {
    database: row.database ?? null,
    plugin: row.plugin ?? null,
    active: row.active,
    activePid: row.active_pid,
    confirmedLsn: row.confirmed_lsn ? parseLsn(row.confirmed_lsn)! : null,
    walStatus: row.wal_status ?? null,
    invalidationReason: row.invalidation_reason ?? null,
    lagBytes: Number(row.lag_bytes ?? 0),
    retainedBytes: Number(row.retained_bytes ?? 0),
  };
}

export interface SlotNames {
  slotName: string;
  publication: string;
}

/**
 * The position to go on from. Makes the slot when neither it nor a position exists.
 * @param sunkLsn what this process has confirmed itself; it may be ahead of a position that a failover rolled back.
 * @throws CdcAlarm when slot and position do not belong together: events in between would be lost.
 */
export async function prepareSlot(client: Client, names: SlotNames, sunkLsn: Lsn): Promise<Position> {
  await expectPublication(client, names.publication);
  const systemIdentifier = await readSystemIdentifier(client);
  const position = await readPosition(client, names.slotName);
  const slot = await slotStatus(client, names.slotName);
  if (!position || position.state === 'creating') {
    if (slot && !position)
      throw alarm('slot_unknown', `Slot ${names.slotName} exists, but nothing is known of its reader.`);
    return createSlot(client, names.slotName, systemIdentifier);
  }
  if (position.systemIdentifier !== systemIdentifier) {
    throw alarm('other_cluster', `The position of slot ${names.slotName} was stored on another database cluster.`);
  }
  checkSlot(names.slotName, slot, maxLsn(position.confirmedLsn!, sunkLsn));
  return position;
}

/** Drops the slot where there is one, and makes it anew. What is loaded again is recognised by its event ids. */
export async function createSlot(client: Client, slotName: string, systemIdentifier: string): Promise<Position> {
  await beginPosition(client, slotName, systemIdentifier);
  await client.query('select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1', [
    slotName,
  ]);
  const version = await client.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  );
  // From version 17 on a standby can keep a copy of the slot, which survives a failover.
  const failover = version.rows[0]!.version >= 170_000 ? ', false, false, true' : '';
  const create = {
    text: `select lsn::text as lsn from pg_create_logical_replication_slot($1, 'pgoutput'${failover})`,
    values: [slotName],
    // The server waits for every transaction that runs now, however long that one takes.
    query_timeout: 24 * 60 * 60_000,
  };
  const { rows } = await client.query<{ lsn: string }>(create);
  await beginLoad(client, slotName, parseLsn(rows[0]!.lsn)!);
  return (await readPosition(client, slotName))!;
}

/** @returns where the slot stands. @throws CdcAlarm when it can't deliver everything after `expectedLsn`. */
export function checkSlot(slotName: string, slot: SlotStatus | undefined, expectedLsn: Lsn): Lsn {
  if (!slot) throw alarm('slot_missing', `Slot ${slotName} is gone; it had been read up to ${formatLsn(expectedLsn)}.`);
  if (slot.walStatus === 'lost' || slot.invalidationReason !== null) {
    const reason = slot.invalidationReason ?? 'its WAL was removed';
    throw alarm('slot_lost', `The server invalidated slot ${slotName} (${reason}).`);
  }
  if (slot.plugin !== 'pgoutput' || slot.confirmedLsn === null) {
    throw alarm('slot_unknown', `Slot ${slotName} is not a logical slot of pgoutput.`);
  }
  if (slot.confirmedLsn > expectedLsn) {
    throw alarm(
      'slot_moved',
      `Slot ${slotName} stands at ${formatLsn(slot.confirmedLsn)}, but the sink has events up to ` +
        `${formatLsn(expectedLsn)} only: another process moved it, and the server will not send what lies between.`,
    );
  }
  return slot.confirmedLsn;
}

export async function readSystemIdentifier(client: Client): Promise<string> {
  const { rows } = await client.query<{ id: string }>('select system_identifier::text as id from pg_control_system()');
  return rows[0]!.id;
}

/** @throws CdcAlarm where inserts into the outbox are not sent, or not under its name as those into partitions. */
export async function expectPublication(client: Client, publication: string): Promise<void> {
  const { rowCount } = await client.query(
    `select from pg_publication_tables join pg_publication using (pubname)
     where pubname = $1 and tablename = 'outbox' and pubinsert`,
    [publication],
  );
  if (rowCount !== 0) return;
  throw new CdcAlarm(
    'publication_missing',
    `The publication ${publication} does not exist or does not publish what is inserted into the table outbox.`,
    'Run the migrations, or publish the table again. What was written meanwhile is not in the stream: then drop the slot ' +
      'and start once with CDC_ON_LOST_SLOT=reload, which loads again what the outbox still holds.',
  );
}

function alarm(reason: CdcAlarm['reason'], message: string): CdcAlarm {
  return new CdcAlarm(
    reason,
    message,
    'Start once with CDC_ON_LOST_SLOT=reload: it takes a new slot and loads again what the outbox still holds. Then run ' +
      'the audit, which lists what the outbox no longer held.',
  );
}

export function maxLsn(a: Lsn, b: Lsn): Lsn {
  return a > b ? a : b;
}
