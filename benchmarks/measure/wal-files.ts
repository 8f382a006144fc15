import type { Client } from 'pg';

/**
 * Gives a new server the `count` spare WAL files of 16 MiB that one has which has been running for a while. Such a
 * server renames old files and writes over them; a new one has none and fills each file with zeros and syncs it before
 * the first commit in it: under `ingest` a pause of 45 ms every second, which would decide the p99 of every topology.
 * They last until `min_wal_size` is used up; each checkpoint makes the files before it spare again.
 * @param client a superuser's
 */
export async function prepareWalFiles(client: Client, count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    // A file in which nothing was written would not be left. Change data capture passes a restore point by.
    await client.query("select pg_create_restore_point('lab: spare WAL file')");
    await client.query('select pg_switch_wal()');
  }
  await client.query('checkpoint');
}
