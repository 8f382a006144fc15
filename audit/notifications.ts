import { readFile } from 'node:fs/promises';
import type { Client } from 'pg';
import { waitWhileShrinking } from '../kernel/wait.ts';
import { factsOf, subjects } from '../notifications/subjects.ts';

export interface NotificationsFinding {
  checked: number;
  violations: number;
  examples: string[];
}

interface Wanted {
  channel: string;
  recipient_id: string;
  /** Null: of every user's. */
  about_user: string | null;
  since: Date;
}

interface EventRow {
  event_id: string;
  event_type: string;
  aggregate_id: string;
  user_id: string;
  sequence: string;
  payload: Record<string, unknown>;
  created_at: Date;
}

const pauseMs = 100;

/**
 * Holds what the outbox tells against the notifications: one for each fact, channel and recipient that wanted to be told
 * when the event was written. Those on their way are waited for as long as fewer are missing.
 * @param client In the audit's snapshot. @param fresh A connection that sees what is committed meanwhile.
 */
export async function auditNotifications(
  client: Client,
  fresh: Client,
  stallMs = 5_000,
): Promise<NotificationsFinding> {
  const expected = await readExpected(client);
  const look = async () => {
    const { rows } = await fresh.query<{ key: string; rows: string }>(
      `select concat_ws(' ', type, fact, channel, recipient_id) as key, count(*) as rows from notifications group by 1`,
    );
    const planned = new Map(rows.map(({ key, rows: count }) => [key, Number(count)]));
    const wrong = [...expected].filter(([key]) => planned.get(key) !== 1);
    return { left: wrong.length, wrong, planned };
  };
  const { wrong, planned } = await waitWhileShrinking(look, { stallMs, intervalMs: pauseMs });
  return {
    checked: expected.size,
    violations: wrong.length,
    examples: wrong.slice(0, 20).map(([key, eventId]) => `${eventId}: ${key}, ${planned.get(key) ?? 0} notifications`),
  };
}

/** The event by what its notification is told apart by. */
async function readExpected(client: Client): Promise<Map<string, string>> {
  const wanted = (await client.query<Wanted>(await sqlOf('wanted_notifications'))).rows;
  const users = wanted.flatMap(({ about_user }) => about_user ?? []);
  const ofAll = wanted.some(({ about_user }) => about_user === null);
  const types = [...new Set(subjects.map(({ event }) => event))];
  const { rows } = await client.query<EventRow>(await sqlOf('notifiable_events'), [types, users, ofAll]);
  const expected = new Map<string, string>();
  for (const row of rows) {
    const event = {
      eventId: row.event_id,
      type: row.event_type,
      aggregateId: row.aggregate_id,
      sequence: BigInt(row.sequence),
      payload: row.payload,
    };
    for (const { type, key } of factsOf(event)) {
      for (const { channel, recipient_id, about_user, since } of wanted) {
        if (since > row.created_at || (about_user !== null && about_user !== row.user_id)) continue;
        expected.set([type, key, channel, recipient_id].join(' '), row.event_id);
      }
    }
  }
  return expected;
}

function sqlOf(name: string): Promise<string> {
  return readFile(new URL(`./sql/${name}.sql`, import.meta.url), 'utf8');
}
