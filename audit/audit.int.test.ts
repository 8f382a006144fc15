// Longer than 300 lines because every invariant is broken by hand, on the same sound data.
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../runtime/native/free-port.ts';
import { createDatabase, type TestDatabase } from '../test/postgres/database.ts';
import { type AuditResult, auditRun, runChecks } from './audit.ts';
import { auditBookings } from './bookings.ts';
import { loadRecord } from './recorded.ts';

const captures = {
  completed: '00000000-0000-7000-8000-000000000001',
  failed: '00000000-0000-7000-8000-000000000002',
  requested: '00000000-0000-7000-8000-000000000003',
};

/**
 * Orders o1..o5 with three events each and one dispute on o1 with two, all received as webhooks; one parked one; three
 * captures of o1.
 */
const seed = (keyTable: boolean) => `
  create temporary table w as
  select 'order' as aggregate, 'o' || o as order_id, null as dispute_id, s as sequence, 'webhook_received' as kind,
    (array['created', 'updated', 'success'])[s] as status
  from generate_series(1, 5) o, generate_series(1, 3) s
  union all
  select 'dispute', 'o1', 'd1', s, (array['webhook_opened', 'webhook_updated'])[s], 'open' from generate_series(1, 2) s;
  alter table w add event_id uuid default gen_random_uuid(), add provider_event_id text, add body text;
  update w set provider_event_id = 'evt_' || coalesce(dispute_id, order_id) || '_' || sequence;
  update w set body = '{"id":"' || provider_event_id || '"}';
  insert into orders (order_id, user_id, status, amount_minor, currency, sequence, provider, provider_updated_at)
  select distinct order_id, 'u1', 'success', 1000, 'EUR', 3, 'silvergate', timestamptz '2026-01-01Z' + interval '3 s' from w where aggregate = 'order';
  insert into disputes (dispute_id, order_id, user_id, status, reason, amount_minor, currency, sequence, provider, provider_updated_at, opened_at)
  values ('d1', 'o1', 'u1', 'open', 'fraud', 100, 'EUR', 2, 'silvergate', '2026-01-01Z', '2026-01-01Z');
  insert into order_events (event_id, order_id, user_id, sequence, kind, provider, provider_event_id, data)
  select event_id, order_id, 'u1', sequence, kind, 'silvergate', provider_event_id,
    jsonb_build_object('status', status, 'verdict', 'applied', 'provider_updated_at', timestamptz '2026-01-01Z' + sequence * interval '1 s',
      'after', jsonb_build_object('status', status, 'amount_minor', 1000, 'currency', 'EUR'))
  from w where aggregate = 'order';
  insert into dispute_events (event_id, dispute_id, order_id, user_id, sequence, kind, provider, provider_event_id, data)
  select event_id, dispute_id, order_id, 'u1', sequence, kind, 'silvergate', provider_event_id,
    '{"verdict": "applied", "provider_updated_at": "2026-01-01T00:00:00Z", "after": {"status": "open", "reason": "fraud", "amount_minor": 100, "currency": "EUR"}}'
  from w where aggregate = 'dispute';
  insert into outbox (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers)
  select event_id, aggregate, coalesce(dispute_id, order_id), 'u1', sequence, aggregate || '.' || kind, '{}', '{}' from w;
  insert into captures (capture_id, order_id, idempotency_key, amount_minor, currency, status, provider_reference)
  values ('${captures.completed}', 'o1', 'key-1', 600, 'EUR', 'completed', 'cap_1'), ('${captures.failed}', 'o1', 'key-2', 400, 'EUR', 'failed', 'cap_2'),
    ('${captures.requested}', 'o1', 'key-3', 400, 'EUR', 'requested', null);
  create temporary table told as
  select row_number() over () + 3 as sequence, kind, capture_id, amount, gen_random_uuid() as event_id
  from (values ('requested', '${captures.completed}', 600), ('completed', '${captures.completed}', 600), ('requested', '${captures.failed}', 400),
    ('failed', '${captures.failed}', 400), ('requested', '${captures.requested}', 400)) as t (kind, capture_id, amount);
  insert into order_events (event_id, order_id, user_id, sequence, kind, data)
  select event_id, 'o1', 'u1', sequence, 'capture_' || kind, jsonb_build_object('capture_id', capture_id, 'amount_minor', amount, 'currency', 'EUR',
    'after', '{"status": "success", "amount_minor": 1000, "currency": "EUR"}'::jsonb)
  from told;
  insert into outbox (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers)
  select event_id, 'order', 'o1', 'u1', sequence, 'order.capture_' || kind, '{}', '{}' from told;
  update orders set sequence = 8 where order_id = 'o1';
  insert into parked_webhooks (provider, provider_event_id, order_id, event, received_at)
  values ('silvergate', 'evt_parked', 'o9', '{}', now());
  create temporary table received as
  select provider_event_id, body, 'applied' as verdict from w
  union all values ('evt_parked', '{"id":"evt_parked"}', 'parked'), ('evt_other', '{"id":"evt_other"}', 'ignored');
  insert into webhook_deliveries (delivery_id, provider, provider_event_id, body_sha256, body, verdict)
  select gen_random_uuid(), 'silvergate', provider_event_id, sha256(convert_to(body, 'UTF8')), body, verdict from received
  union all
  select gen_random_uuid(), 'silvergate', 'evt_o1_1', sha256('{"id":"evt_o1_1"}'), '{"id":"evt_o1_1"}', 'duplicate';
  ${keyTable ? "insert into webhook_keys (provider, provider_event_id, body_sha256) select 'silvergate', provider_event_id, sha256(convert_to(body, 'UTF8')) from received;" : ''}
`;

function ack(id: string, changes: object = {}) {
  const bodySha256 = createHash('sha256').update(`{"id":"${id}"}`).digest('hex');
  const fields = { provider: 'silvergate', provider_event_id: id, body_sha256: bodySha256, order_id: 'o1' };
  return { type: 'ack', ...fields, status: 202, verdict: 'applied', ...changes };
}

function read(changes: object) {
  return { type: 'read', order_id: 'o2', expected_sequence: 3, seen_sequence: 3, node: 'replica-1', ...changes };
}

describe.each(['plain', 'partitioned'] as const)('the audit of a %s database', (topology) => {
  let database: TestDatabase;
  let client: pg.Client;
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'lab-audit-'));
    database = await createDatabase(topology);
    client = new pg.Client({ connectionString: database.dsn });
    await client.connect();
    await client.query(seed(topology === 'partitioned'));
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
    await rm(directory, { recursive: true, force: true });
  });
  // Each test breaks the data in a transaction of its own, which a clone of the database would cost much more for.
  beforeEach(() => client.query('begin'));
  afterEach(() => client.query('rollback'));

  async function writeRecord(lines: readonly (object | string)[]): Promise<string> {
    const file = path.join(directory, 'record.jsonl');
    const text = lines.map((line) => (typeof line === 'string' ? line : `${JSON.stringify(line)}\n`)).join('');
    await writeFile(file, text);
    return file;
  }

  async function audit(lines?: readonly (object | string)[]): Promise<AuditResult> {
    const record = await loadRecord(client, lines ? [await writeRecord(lines)] : []);
    return runChecks(client, topology, record);
  }

  /** The ids that break each invariant; the invariants that hold are left out. */
  function broken(result: AuditResult): Record<string, string[]> {
    const bad = result.invariants.filter((invariant) => !invariant.ok);
    return Object.fromEntries(bad.map(({ id, examples }) => [id, examples.map((example) => example.split(':')[0]!)]));
  }

  const ofOneAck = createHash('sha256')
    .update(`${JSON.stringify(ack('evt_o1_1'))}\n`)
    .digest('hex');
  const end = { type: 'end', lines: 1, sha256: ofOneAck, name: 'record.jsonl' };

  test.each<[string, object[], object]>([
    ['whole', [ack('evt_o1_1'), end], { ok: true, checked: 1, note: null }],
    [
      'short of a line',
      [end],
      { ok: false, note: expect.stringMatching(/: record\.jsonl has 0 lines, and its end counts 1$/) },
    ],
    [
      'of other lines than were written',
      [ack('evt_o1_2'), end],
      { ok: false, note: 'could not be checked: record.jsonl: its lines are not those that its writer hashed' },
    ],
    ['without an end', [ack('evt_o1_1')], { ok: true, note: expect.stringMatching(/^record\.jsonl has no end: /) }],
    ['empty', [], { note: expect.stringMatching(/record\.jsonl is empty: /) }],
    [
      'renamed',
      [ack('evt_o1_1'), { ...end, name: 'acks.jsonl' }],
      { ok: true, note: 'record.jsonl was written as acks.jsonl' },
    ],
  ])('says of a record that it is %s', async (_what, lines, expected) => {
    expect((await audit(lines)).invariants.find(({ id }) => id === 'I2')).toMatchObject(expected);
  });

  test('finds nothing wrong with sound data', async () => {
    const lines = [ack('evt_o1_1'), ack('evt_o1_1', { status: 200, verdict: 'duplicate' }), read({})];
    const result = await auditRun({ dsn: database.dsn, topology, recordFiles: [await writeRecord(lines)] });
    expect(broken(result)).toEqual({});
    expect(result.ok).toBe(true);
    expect(result.invariants.map(({ id, checked }) => [id, checked])).toEqual([
      ['I1', 0],
      ['I2', 1],
      ['I3', 20],
      ['I4', 3],
      ['I5', 28],
      ['I8', 1],
      ['state', 6],
    ]);
  });

  test('says that it had no record instead of claiming more', async () => {
    const result = await audit();
    expect(result.ok).toBe(true);
    const notes = result.invariants.filter(({ note }) => note).map(({ id, note }) => [id, note]);
    expect(notes).toEqual([
      ['I2', 'no acknowledgements recorded'],
      ['I8', 'no reads recorded'],
    ]);
  });

  test('lists an acknowledged webhook that is not stored', async () => {
    await client.query("delete from webhook_deliveries where provider_event_id = 'evt_o3_2'");
    expect(broken(await audit([ack('evt_o3_1'), ack('evt_o3_2')])).I2).toEqual(['silvergate/evt_o3_2']);
  });

  test('lists an acknowledged webhook whose stored body differs', async () => {
    await client.query(`update webhook_deliveries set body = '{}' where provider_event_id = 'evt_o3_2'`);
    expect(broken(await audit([ack('evt_o3_2')]))).toEqual({ I2: ['silvergate/evt_o3_2'] });
  });

  test('does not ask for webhooks that were refused', async () => {
    expect((await audit([ack('evt_unknown', { status: 503, verdict: null })])).ok).toBe(true);
  });

  test('lists an event without its effect', async () => {
    await client.query("delete from order_events where provider_event_id = 'evt_o2_3'");
    const result = broken(await audit([ack('evt_o2_3')]));
    expect(result.I3).toEqual(['silvergate/evt_o2_3', 'silvergate/evt_o2_3']);
    expect(result.I5).toEqual(['o2', 'order o2 #3']);
  });

  test('lists a parked webhook that vanished', async () => {
    await client.query('delete from parked_webhooks');
    expect(broken(await audit())).toEqual({ I3: ['silvergate/evt_parked'] });
  });

  test('lists an event with two effects', async () => {
    await client.query(`
      insert into order_events (event_id, order_id, user_id, sequence, kind, provider, provider_event_id, data)
      values ('00000000-0000-7000-8000-000000000044', 'o4', 'u1', 4, 'webhook_received', 'silvergate', 'evt_o4_3', '{}');
      insert into outbox (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers)
      values ('00000000-0000-7000-8000-000000000044', 'order', 'o4', 'u1', 4, 'order.webhook_received', '{}', '{}');
      update orders set sequence = 4 where order_id = 'o4'`);
    expect(broken(await audit())).toEqual({ I3: ['silvergate/evt_o4_3'] });
  });

  test('lists an effect that no delivery explains', async () => {
    const table = topology === 'plain' ? 'webhook_deliveries' : 'webhook_keys';
    await client.query(`delete from ${table} where provider_event_id = 'evt_d1_2'`);
    expect(broken(await audit())).toEqual({ I3: ['silvergate/evt_d1_2'] });
  });

  test('lists an event that was accepted twice', async () => {
    await client.query(`drop index if exists webhook_deliveries_key;
      insert into webhook_deliveries (delivery_id, provider, provider_event_id, body_sha256, body, verdict)
      values (gen_random_uuid(), 'silvergate', 'evt_o1_2', sha256(''), '', 'applied')`);
    expect(broken(await audit())).toEqual({ I3: ['silvergate/evt_o1_2'] });
  });

  test('lists an ignored delivery that had an effect', async () => {
    await client.query(`insert into parked_webhooks (provider, provider_event_id, order_id, event, received_at)
      values ('silvergate', 'evt_other', 'o9', '{}', now())`);
    expect(broken(await audit())).toEqual({ I3: ['silvergate/evt_other'] });
  });

  test('lists a gap in the sequence of an order and of a dispute', async () => {
    await client.query(`
      update order_events set sequence = 9 where order_id = 'o5' and sequence = 3;
      update outbox set sequence = 9 where aggregate_id = 'o5' and sequence = 3;
      update orders set sequence = 9 where order_id = 'o5';
      update dispute_events set sequence = 3 where sequence = 2;
      update outbox set sequence = 3 where aggregate_id = 'd1' and sequence = 2;
      update disputes set sequence = 3`);
    expect(broken(await audit())).toEqual({ I5: ['o5', 'd1'] });
  });

  test('lists a number that was given twice', async () => {
    await client.query(`
      drop index order_events_sequence;
      update order_events set sequence = 2 where order_id = 'o5' and sequence = 3;
      update orders set sequence = 2 where order_id = 'o5'`);
    expect(broken(await audit()).I5).toEqual(['o5', 'order o5 #2', 'order o5 #3']);
  });

  test('lists an order that does not stand at its last event', async () => {
    await client.query("update orders set sequence = 7 where order_id = 'o3'");
    expect(broken(await audit())).toEqual({ I5: ['o3'] });
  });

  test('lists outbox rows that are missing, doubled or without an event', async () => {
    await client.query(`
      delete from outbox where aggregate_id = 'o1' and sequence = 1;
      insert into outbox (event_id, aggregate_type, aggregate_id, user_id, sequence, event_type, payload, headers)
      values (gen_random_uuid(), 'order', 'o2', 'u1', 1, 'order.webhook_received', '{}', '{}'),
             (gen_random_uuid(), 'dispute', 'd7', 'u1', 1, 'dispute.webhook_opened', '{}', '{}')`);
    expect(broken(await audit())).toEqual({ I5: ['dispute d7 #1', 'order o1 #1', 'order o2 #1'] });
  });

  test('lists stale reads', async () => {
    const result = await audit([read({}), read({ order_id: 'o4', seen_sequence: 2 })]);
    expect(broken(result)).toEqual({ I8: ['o4'] });
    expect(result.invariants.find(({ id }) => id === 'I8')).toMatchObject({ checked: 2, violations: 1 });
  });

  test('lists an order whose status its events do not explain', async () => {
    await client.query("update orders set status = 'failed' where order_id = 'o2'");
    expect(broken(await audit())).toEqual({ state: ['o2'] });
  });

  test.each([
    ["update orders set amount_minor = 999 where order_id = 'o2'", 'o2'],
    ["update orders set currency = 'USD' where order_id = 'o3'", 'o3'],
    ["update orders set provider_updated_at = now() where order_id = 'o4'", 'o4'],
    ["update disputes set status = 'won'", 'd1'],
    ["update disputes set reason = 'other'", 'd1'],
    ['update disputes set amount_minor = 1', 'd1'],
    ['update disputes set provider_updated_at = now()', 'd1'],
  ])('lists what its events do not explain: %s', async (change, id) => {
    await client.query(change);
    expect(broken(await audit())).toEqual({ state: [id] });
  });

  test.each([
    ["update outbox set event_id = gen_random_uuid() where aggregate_id = 'o2' and sequence = 2", 'order o2 #2'],
    ["update outbox set event_type = 'order.hold_set' where aggregate_id = 'o2' and sequence = 2", 'order o2 #2'],
  ])('lists an outbox row that stands for another event: %s', async (change, id) => {
    await client.query(change);
    expect(broken(await audit())).toEqual({ I5: [id, id] });
  });

  test.each([
    // Together with what another capture of the order has taken.
    [`update captures set status = 'completed' where status = 'failed'`, ['o1', captures.failed]],
    [`update captures set status = 'failed' where status = 'completed'`, [captures.completed]],
    [`update captures set amount_minor = 300 where status = 'completed'`, [captures.completed]],
    [`update captures set currency = 'USD' where status = 'requested'`, [captures.requested, 'o1']],
    [`delete from captures where status = 'completed'`, [captures.completed]],
    [
      `insert into captures (capture_id, order_id, idempotency_key, amount_minor, currency, status)
       values ('00000000-0000-7000-8000-000000000009', 'o2', 'k', 1, 'EUR', 'requested')`,
      ['00000000-0000-7000-8000-000000000009'],
    ],
  ])('lists captures that their order or their events do not explain: %s', async (change, ids) => {
    await client.query(change);
    expect(broken(await audit()).I4?.sort()).toEqual(ids.sort());
  });

  describe('against the books of the provider', () => {
    const booking = (change: object = {}) => ({
      type: 'capture' as const,
      idempotency_key: captures.completed,
      body_sha256: '',
      capture_id: 'cap_1',
      order_id: 'o1',
      amount_minor: '600',
      currency: 'EUR',
      status: 'completed' as const,
      decline_reason: null,
      created_at: '2026-01-01T00:00:00Z',
      ...change,
    });
    const declined = booking({
      idempotency_key: captures.failed,
      capture_id: 'cap_2',
      amount_minor: '400',
      status: 'declined',
    });
    const late = booking({ idempotency_key: captures.requested, capture_id: 'cap_3', amount_minor: '400' });
    const stranger = booking({ idempotency_key: '00000000-0000-7000-8000-00000000000a' });

    test.each([
      ['what agrees', [booking(), declined], [booking(), declined]],
      ['a decline that was never booked', [booking()], [booking()]],
      ['an outcome that the lab does not know yet', [booking(), late], [booking(), late]],
      ['a capture that came after the database was read', [booking()], [booking(), stranger]],
      ['a booking from between the two looks', [], [booking()]],
    ])('nothing is wrong with %s', async (_what, before, after) => {
      expect(await auditBookings(client, { before, after })).toMatchObject({ checked: 3, violations: 0, examples: [] });
    });

    test.each([
      ['is missing there', [], captures.completed],
      ['was booked twice', [booking(), booking({ capture_id: 'cap_9' })], captures.completed],
      ['has another amount there', [booking({ amount_minor: '601' })], captures.completed],
      ['was declined there', [booking({ status: 'declined' })], captures.completed],
      ['has another reference there', [booking({ capture_id: 'cap_9' })], captures.completed],
      ['failed here and was booked there', [booking(), { ...declined, status: 'completed' as const }], captures.failed],
      ['the lab does not know', [booking(), stranger], stranger.idempotency_key],
    ])('lists a capture that %s', async (_what, books, id) => {
      const { violations, examples } = await auditBookings(client, { before: books, after: books });
      expect([violations, examples.map((example) => example.split(':')[0])]).toEqual([1, [id]]);
    });
  });

  test('counts every violation and lists twenty', async () => {
    const lines = Array.from({ length: 30 }, (_, at) => ack(`evt_lost_${at}`));
    const i2 = (await audit(lines)).invariants.find(({ id }) => id === 'I2');
    expect(i2).toMatchObject({ checked: 30, violations: 30 });
    expect(i2!.examples).toHaveLength(20);
  });

  test('forgives a last line that was cut off', async () => {
    expect((await audit([ack('evt_o1_1'), '{"type":"ack","prov'])).ok).toBe(true);
  });

  test('refuses a record with any other broken line', async () => {
    await expect(audit(['{"type":"ack","prov\n', ack('evt_o1_1')])).rejects.toThrow(/record\.jsonl:1/);
  });

  test('what a lock keeps from it beyond the statement time-out could not be checked, and the rest is', async () => {
    const other = new pg.Client({ connectionString: database.dsn });
    await other.connect();
    try {
      await other.query('begin');
      await other.query('lock table outbox in access exclusive mode');
      await client.query("set local statement_timeout = '200ms'");
      const { ok, invariants } = await audit([ack('evt_o1_1')]);
      expect(ok).toBe(false);
      const unsure = invariants.filter((invariant) => !invariant.ok);
      expect(unsure).toMatchObject([{ id: 'I5', violations: 0, note: expect.stringContaining('statement time-out') }]);
      expect(unsure[0]!.note).toMatch(/^could not be checked: i5_outbox_matches: /);
    } finally {
      await other.end();
    }
  });

  test('without an answer of the provider or of ClickHouse their rows are not called clean', async () => {
    const closed = await freePort();
    const { ok, invariants } = await auditRun({
      dsn: database.dsn,
      topology,
      providerUrl: `http://127.0.0.1:${closed}`,
      clickhouseUrl: `http://lab:secret@127.0.0.1:${closed}/lab`,
    });
    const unsure = invariants.filter((invariant) => !invariant.ok).map(({ id, note }) => [id, note]);
    expect([ok, unsure]).toEqual([
      false,
      [
        ['I4', expect.stringMatching(/^could not be checked: the provider’s books: .*ECONNREFUSED/)],
        ['I6', expect.stringMatching(/^could not be checked: ClickHouse: .*ECONNREFUSED/)],
      ],
    ]);
  });
});
