import type { ClientBase } from 'pg';
import { toRfc3339 } from '../../stream/native/outbox-event.ts';
import type { SinkEvent } from '../../stream/sink.ts';

/** Every row of the outbox as a CDC engine would hand it to the sink, without one. */
export async function outboxEvents(client: ClientBase): Promise<SinkEvent[]> {
  await client.query("set timezone = 'UTC'");
  const { rows } = await client.query(
    `select event_id::text, event_type as type, aggregate_type, aggregate_id, user_id, sequence::text,
            created_at::text as occurred_at, payload::text, (extract(epoch from created_at) * 1000)::float8 as ms
     from outbox order by created_at, event_id`,
  );
  return rows.map(({ ms, sequence, occurred_at, ...row }) => ({
    envelope: { ...row, version: 1, sequence: BigInt(sequence), occurred_at: toRfc3339(occurred_at) },
    times: { committedAtMs: ms },
  }));
}
