import { withClient } from '../../kernel/postgres/with-client.ts';
import { waitUntil } from '../../kernel/wait.ts';
import type { PostgresServer } from './postgres.ts';

/** From PostgreSQL 17 on standbys can keep copies of logical slots, which survive a promotion. */
export function hasFailoverSlots(server: PostgresServer): boolean {
  return Number.parseInt(server.version, 10) >= 17;
}

/** Lets the server copy the failover slots of its primary while it is a standby, and keep WAL back while it is primary. */
export async function synchronizeSlots(server: PostgresServer): Promise<void> {
  await withClient(server.dsn(), async (client) => {
    await client.query('alter system set sync_replication_slots = on');
    await client.query('select pg_reload_conf()');
  });
}

/**
 * Holds the readers of failover slots back until these replicas have the WAL: what a reader has seen is then on every
 * server that may be promoted. Empty: no replica is waited for.
 */
export async function holdReadersFor(server: PostgresServer, replicas: readonly string[]): Promise<void> {
  await withClient(server.dsn(), async (client) => {
    await client.query(`alter system set synchronized_standby_slots = '${replicas.join(', ')}'`);
    await client.query('select pg_reload_conf()');
  });
}

/** A slot of pgoutput whose copies the standbys keep. @param dsn superuser's URL of the database it reads. */
export async function createFailoverSlot(dsn: string, slotName: string): Promise<void> {
  await withClient(dsn, (client) =>
    client.query("select pg_create_logical_replication_slot($1, 'pgoutput', false, false, true)", [slotName]),
  );
}

/** Whether the server would have this slot, ready to be read, if it were the primary now. */
export async function hasUsableSlot(server: PostgresServer, slotName: string): Promise<boolean> {
  return withClient(server.dsn(), async (client) => {
    const { rowCount } = await client.query(
      `select from pg_replication_slots
       where slot_name = $1 and not temporary and invalidation_reason is null and wal_status <> 'lost'
         and (synced or not pg_is_in_recovery())`,
      [slotName],
    );
    return rowCount === 1;
  });
}

/** Waits for every standby's copy. A new one needs a snapshot of the running transactions, which is asked for here. */
export async function waitForSlotCopies(
  primary: PostgresServer,
  standbys: readonly PostgresServer[],
  slotName: string,
  timeoutMs: number,
): Promise<boolean> {
  return withClient(primary.dsn(), (client) =>
    waitUntil(
      async () => {
        const copies = await Promise.all(standbys.map((standby) => hasUsableSlot(standby, slotName)));
        if (copies.every(Boolean)) return true;
        await client.query('select pg_log_standby_snapshot()');
        return false;
      },
      { timeoutMs, intervalMs: 100 },
    ),
  );
}
