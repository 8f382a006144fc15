import type { Client } from 'pg';

const slotName = 'experiment_names';

/** A second slot beside the reader's, whose messages are looked at only for the tables that they name. */
export async function openNames(client: Client): Promise<void> {
  await client.query("select pg_create_logical_replication_slot($1, 'pgoutput')", [slotName]);
}

/** Rows by the name under which pgoutput sent them, as in `public.outbox`. */
export async function readNames(client: Client): Promise<Record<string, number>> {
  const { rows } = await client.query<{ data: Buffer }>(
    `select data from pg_logical_slot_get_binary_changes($1, null, null, 'proto_version', '1', 'publication_names', 'lab_outbox')`,
    [slotName],
  );
  const names = new Map<number, string>();
  const counts: Record<string, number> = {};
  for (const { data } of rows) {
    const kind = String.fromCharCode(data[0]!);
    if (kind === 'R') {
      const [schema, table] = data.subarray(5).toString('latin1').split('\0', 2);
      names.set(data.readUInt32BE(1), `${schema}.${table}`);
    } else if (kind === 'I') {
      const name = names.get(data.readUInt32BE(1)) ?? 'unknown';
      counts[name] = (counts[name] ?? 0) + 1;
    }
  }
  return counts;
}
