import { expect, test } from 'vitest';
import { CdcAlarm } from '../alarm.ts';
import type { SinkEvent } from '../sink.ts';
import { OutboxDecoder } from './outbox-decoder.ts';
import { toRfc3339 } from './outbox-event.ts';
import { readKeepalive, statusUpdate } from './wire.ts';

const columns = [
  'event_id',
  'aggregate_type',
  'aggregate_id',
  'user_id',
  'sequence',
  'event_type',
  'payload',
  'headers',
  'created_at',
];
const row: Record<string, string> = {
  event_id: '019a2b3c-4d5e-7f60-8123-456789abcdef',
  aggregate_type: 'order',
  aggregate_id: 'o-1',
  user_id: 'ü',
  sequence: '9007199254740993',
  event_type: 'order.webhook_received',
  payload: '{"amount_minor": 12345678901234567890, "note": "😀"}',
  headers: '{"sent_at_ms": "1769860800123", "request_id": "r", "accepted_at_ms": "1769860800456"}',
  created_at: '2026-01-31 12:00:00.5+00',
};

const int16 = (value: number) => Buffer.from([value >> 8, value & 255]);
function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}
function int64(value: bigint): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64BE(value);
  return buffer;
}
const string = (value: string) => Buffer.from(`${value}\0`);

function relation(names: string[], table = 'outbox', id = 16_400): Buffer {
  const described = names.flatMap((name) => [Buffer.from([0]), string(name), int32(25), int32(0xffffffff)]);
  return Buffer.concat([
    Buffer.from('R'),
    int32(id),
    string('public'),
    string(table),
    Buffer.from('d'),
    int16(names.length),
    ...described,
  ]);
}

function insert(names: string[], values: Record<string, string | null>, id = 16_400): Buffer {
  const fields = names.flatMap((name) => {
    const value = values[name];
    if (value === null || value === undefined) return [Buffer.from('n')];
    const bytes = Buffer.from(value);
    return [Buffer.from('t'), int32(bytes.length), bytes];
  });
  return Buffer.concat([Buffer.from('I'), int32(id), Buffer.from('N'), int16(names.length), ...fields]);
}

const begin = Buffer.concat([Buffer.from('B'), int64(100n), int64(823_176_000_000_250n), int32(7)]);
const commit = Buffer.concat([Buffer.from('C'), Buffer.from([0]), int64(100n), int64(148n), int64(0n)]);

function decode(messages: Buffer[]) {
  const events: SinkEvent[] = [];
  const log: string[] = [];
  const decoder = new OutboxDecoder(
    {
      begin: () => log.push('begin'),
      event: (event) => {
        events.push(event);
        log.push('event');
      },
      commit: (endLsn) => log.push(`commit ${endLsn}`),
    },
    () => 42,
  );
  // As it lies in the stream: behind other bytes.
  for (const message of messages) decoder.decode(Buffer.concat([Buffer.alloc(25), message]), 25);
  return { events, log };
}

test('a row becomes an event, its payload byte for byte', () => {
  const { events, log } = decode([begin, relation(columns), insert(columns, row), commit]);
  expect(log).toEqual(['begin', 'event', 'commit 148']);
  expect(events[0]).toEqual({
    envelope: {
      event_id: row.event_id,
      type: 'order.webhook_received',
      version: 1,
      aggregate_type: 'order',
      aggregate_id: 'o-1',
      user_id: 'ü',
      sequence: 9_007_199_254_740_993n,
      occurred_at: '2026-01-31T12:00:00.5Z',
      payload: row.payload,
    },
    times: {
      committedAtMs: Date.UTC(2000, 0, 1) + 823_176_000_000.25,
      readAtMs: 42,
      sentAtMs: 1_769_860_800_123,
      acceptedAtMs: 1_769_860_800_456,
    },
  });
});

test('a request id that looks like a time of a stage is none', () => {
  const requestId = '"sent_at_ms": "1"';
  const headers = JSON.stringify({ request_id: requestId, sent_at_ms: '2', accepted_at_ms: '3' });
  const { events } = decode([relation(columns), insert(columns, { ...row, headers })]);
  expect(events[0]?.times).toMatchObject({ sentAtMs: 2, acceptedAtMs: 3 });
});

test('columns are found by their names, whatever their order and whatever was added', () => {
  const shuffled = ['note', ...columns.toReversed()];
  const { events } = decode([relation(shuffled), insert(shuffled, { ...row, note: null })]);
  expect(events[0]?.envelope).toMatchObject({ event_id: row.event_id, user_id: 'ü', payload: row.payload });
});

test('a changed table is described again, and the new description counts', () => {
  const wider = [...columns.slice(0, 3), 'extra', ...columns.slice(3)];
  const { events } = decode([
    relation(columns),
    insert(columns, row),
    relation(wider),
    insert(wider, { ...row, extra: 'x' }),
  ]);
  expect(events.map(({ envelope }) => envelope.user_id)).toEqual(['ü', 'ü']);
});

test('other tables, updates and unknown messages are no events', () => {
  const other = relation(['id'], 'orders', 9);
  const { events } = decode([
    other,
    insert(['id'], { id: '1' }, 9),
    Buffer.from('Uxxxx'),
    Buffer.from('T'),
    Buffer.from('Y'),
  ]);
  expect(events).toEqual([]);
});

test('a missing column, or a null where none may be, is an alarm and not half an event', () => {
  const without = columns.filter((name) => name !== 'sequence');
  expect(() => decode([relation(without)])).toThrow(CdcAlarm);
  expect(() => decode([relation(columns), insert(columns, { ...row, payload: null })])).toThrow(/payload/);
});

test('times keep their microseconds', () => {
  expect(toRfc3339('2026-01-31 12:00:00+00')).toBe('2026-01-31T12:00:00Z');
  expect(toRfc3339('2026-01-31 12:00:00.123456+00')).toBe('2026-01-31T12:00:00.123456Z');
});

test('keepalives and status updates on the wire', () => {
  const keepalive = Buffer.concat([Buffer.from('k'), int64(0x1_0000_0002n), int64(0n), Buffer.from([1])]);
  expect(readKeepalive(keepalive)).toEqual({ walEnd: 0x1_0000_0002n, replyRequested: true });
  const update = statusUpdate(0xab_cdef_0123n, Date.UTC(2000, 0, 1) + 1.5);
  expect(update.length).toBe(34);
  expect(String.fromCharCode(update[0]!)).toBe('r');
  for (const offset of [1, 9, 17]) expect(update.readBigUInt64BE(offset)).toBe(0xab_cdef_0123n);
  expect(update.readBigInt64BE(25)).toBe(1_500n);
});
