import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { uuidv7 } from '../../kernel/uuid.ts';
import { asRole, createDatabase, type TestDatabase } from '../../test/postgres/database.ts';
import { appendEvents, outboxRow } from './append.ts';
import type { DomainEvent } from './rows.ts';

const createdAt = new Date();

function orderEvent(sequence: bigint, data: Record<string, unknown> = {}): DomainEvent {
  return {
    aggregate: 'order',
    eventId: uuidv7(createdAt.getTime()),
    orderId: 'ord_1',
    userId: 'user_1',
    sequence,
    kind: 'webhook_received',
    provider: 'silvergate',
    providerEventId: `evt_${sequence}`,
    data,
    createdAt,
    headers: { request_id: 'request-1' },
  };
}

function disputeEvent(sequence: bigint): DomainEvent {
  return {
    aggregate: 'dispute',
    eventId: uuidv7(createdAt.getTime()),
    disputeId: 'dp_1',
    orderId: 'ord_1',
    userId: 'user_1',
    sequence,
    kind: 'evidence_added',
    provider: null,
    providerEventId: null,
    data: { evidence_id: 'e1' },
    createdAt,
    headers: {},
  };
}

describe.each(['plain', 'partitioned'] as const)('on %s', (topology) => {
  let database: TestDatabase;
  let pool: Pool;

  beforeAll(async () => {
    database = await createDatabase(topology);
    pool = new Pool({ connectionString: asRole(database.dsn, 'lab_api'), max: 1 });
  });

  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  test('each event and its outbox row say the same', async () => {
    const client = await pool.connect();
    const awkward = {
      text: '"quotes", \\ { } , NULL and ümläut 💶',
      amount_minor: 9_223_372_036_854_775_807n,
      none: null,
    };
    const events = [orderEvent(1n, awkward), disputeEvent(1n), orderEvent(2n)];
    await appendEvents(client, events);
    await appendEvents(client, []);
    client.release();
    const stored = await pool.query(
      `select event_id, o.aggregate_type, o.aggregate_id, o.user_id, o.sequence::int, o.event_type, o.payload, o.headers,
         e.data, e.created_at = o.created_at as same_time, e.kind, e.provider
       from outbox o join (
         select event_id, data, created_at, kind, provider from order_events
         union all
         select event_id, data, created_at, kind, provider from dispute_events
       ) e using (event_id)
       order by array_position($1::uuid[], event_id)`,
      [events.map((event) => event.eventId)],
    );
    const expected = { ...awkward, amount_minor: '9223372036854775807' };
    expect(stored.rows).toMatchObject([
      {
        aggregate_type: 'order',
        aggregate_id: 'ord_1',
        sequence: 1,
        event_type: 'order.webhook_received',
        data: expected,
        same_time: true,
        headers: { request_id: 'request-1' },
        provider: 'silvergate',
        payload: { ...expected, kind: 'webhook_received', order_id: 'ord_1', provider_event_id: 'evt_1' },
      },
      {
        aggregate_type: 'dispute',
        aggregate_id: 'dp_1',
        event_type: 'dispute.evidence_added',
        provider: null,
        payload: { evidence_id: 'e1', dispute_id: 'dp_1', order_id: 'ord_1', provider: null },
      },
      { sequence: 2 },
    ]);
  });

  test('the role of the API cannot change or remove what it has written', async () => {
    for (const table of ['order_events', 'dispute_events', 'outbox']) {
      await expect(pool.query(`delete from ${table}`)).rejects.toThrow('permission denied');
      await expect(pool.query(`update ${table} set user_id = 'x'`)).rejects.toThrow('permission denied');
    }
  });
});

test('what identifies an event cannot be replaced by its data', () => {
  const { payload } = outboxRow(orderEvent(1n, { kind: 'forged', order_id: 'other', note: 'kept' }));
  expect(payload).toMatchObject({ kind: 'webhook_received', order_id: 'ord_1', note: 'kept' });
});
