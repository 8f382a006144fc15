import type { Client } from 'pg';
import { atAddress } from '../../../kernel/postgres/hosts.ts';
import { type Lsn, parseLsn } from '../../../kernel/postgres/lsn.ts';
import { withClient } from '../../../kernel/postgres/with-client.ts';
import { waitUntil } from '../../../kernel/wait.ts';
import { endLoad, readPosition } from '../../../stream/native/positions.ts';
import { createSlot, readSystemIdentifier, slotStatus } from '../../../stream/native/slot.ts';
import { ConversionRefused } from '../preflight.ts';

/** What becomes of change data capture; null where the source has no reader. */
export interface CdcReport {
  /** Of the source's reader, null once it is dropped. Those of the workers have its name and their number. */
  slot: string | null;
  workers: number;
  /** Whether the old reader came to its end; where it did not, the new ones load the outbox again. */
  drained: boolean;
}

/** The slots of the source whose readers keep their position in it. */
export async function readSlots(source: Client): Promise<string[]> {
  const { rows } = await source.query<{ name: string }>(
    'select slot_name as name from cdc_positions join pg_replication_slots using (slot_name) where database = current_database() order by 1',
  );
  return rows.map(({ name }) => name);
}

/** Superuser URLs of the workers' databases, in the order in which they joined. */
export async function workerDsns(target: Client, dsn: string): Promise<string[]> {
  const { rows } = await target.query<{ host: string; port: number }>(
    "select nodename as host, nodeport as port from pg_dist_node where groupid <> 0 and noderole = 'primary' order by nodeid",
  );
  return rows.map((row) => atAddress(dsn, row));
}

/**
 * Makes the slot of each worker once the copy is complete. What is written to the worker from here on is streamed; what
 * was there before has come, or will come, from the source's own slot. So nothing has to be loaded again.
 */
export async function makeWorkerSlots(slot: string, workers: readonly string[]): Promise<void> {
  for (const [index, dsn] of workers.entries()) {
    const name = workerSlot(slot, index);
    await withClient(dsn, async (client) => {
      const position = await readPosition(client, name);
      if (position?.state === 'streaming' && (await slotStatus(client, name))) return;
      await createSlot(client, name, await readSystemIdentifier(client));
      await endLoad(client, name);
    });
  }
}

/**
 * Without slot and position a reader makes both and begins with a load of the outbox.
 * @throws ConversionRefused while a reader is connected to one of them.
 */
export async function dropWorkerSlots(slot: string, workers: readonly string[]): Promise<void> {
  for (const [index, dsn] of workers.entries()) {
    const name = workerSlot(slot, index);
    if (await withClient(dsn, (client) => dropSlot(client, name))) continue;
    throw new ConversionRefused(`Slot ${name} of worker ${index + 1} is read: end that reader first.`);
  }
}

function workerSlot(slot: string, index: number): string {
  return `${slot}_${index + 1}`;
}

/** WAL that makes an idle reader confirm how far it has come: see CDC_IDLE_ADVANCE_BYTES. */
const nudgeBytes = 1_000_000;

/** Waits until the reader of the fenced source has everything. @returns whether it came to that in time. */
export async function drainSlot(source: Client, slot: string, timeoutMs: number): Promise<boolean> {
  const end = await writeEnd(source);
  let nudged = performance.now();
  return waitUntil(
    async () => {
      const status = await slotStatus(source, slot);
      if (!status) return false;
      if ((status.confirmedLsn ?? 0n) >= end) return true;
      if (performance.now() - nudged > 500) {
        await writeEnd(source);
        nudged = performance.now();
      }
      return false;
    },
    { timeoutMs, intervalMs: 50 },
  );
}

/** @returns the position behind everything that was committed before. */
async function writeEnd(source: Client): Promise<Lsn> {
  const { rows } = await source.query<{ end: string }>('select pg_current_wal_insert_lsn()::text as end');
  await source.query("select pg_logical_emit_message(false, 'lab-convert', repeat('-', $1))", [nudgeBytes]);
  // Only what is flushed is sent, and a commit flushes.
  await source.query("select pg_logical_emit_message(true, 'lab-convert', '')");
  return parseLsn(rows[0]!.end)!;
}

/** Removes a slot whose reader has left, and its position. @returns false while it is still read. */
export async function dropSlot(client: Client, slot: string): Promise<boolean> {
  const left = async () => !(await slotStatus(client, slot))?.active;
  if (!(await waitUntil(left, { timeoutMs: 5_000, intervalMs: 100 }))) return false;
  await client.query('select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1', [
    slot,
  ]);
  await client.query('delete from cdc_positions where slot_name = $1', [slot]);
  return true;
}
