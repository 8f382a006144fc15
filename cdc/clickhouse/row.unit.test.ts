import { expect, test } from 'vitest';
import { toSinkEvent } from '../../stream/native/outbox-event.ts';
import { encodeRows } from './row.ts';

/** An event of the outbox whose row was written at this time, as PostgreSQL prints it. */
function eventAt(createdAt: string) {
  const id = '0190a1b2-c3d4-7000-8000-000000000001';
  return toSinkEvent([id, 'order', 'o1', 'u1', '1', 'order.webhook_received', '{}', '{}', createdAt], { readAtMs: 1 });
}

test.each(['1970-01-01 00:00:00+00', '2026-01-31 12:00:00.123456+00', '2104-12-31 23:59:59.999999+00'])(
  '%s is taken',
  (time) => {
    expect(encodeRows([eventAt(time)]).length).toBeGreaterThan(0);
  },
);

test.each([
  'infinity',
  '-infinity',
  '0044-03-15 12:00:00+00 BC',
  '1969-12-31 23:59:59.999999+00',
  '2105-01-01 00:00:00+00',
  '2107-01-01 00:00:00+00',
  '9999-12-31 23:59:59+00',
  '12026-01-01 00:00:00+00',
])('%s is refused, under the name of the event', (time) => {
  expect(() => encodeRows([eventAt(time)])).toThrow(/^event 0190a1b2-.*(occurred_at|Invalid time)/);
});
