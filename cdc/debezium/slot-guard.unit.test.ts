import { expect, test } from 'vitest';
import type { SlotStatus } from '../../stream/native/slot.ts';
import { createSlotGuard } from './slot-guard.ts';

const slot = (confirmedLsn: bigint, active = true, more: Partial<SlotStatus> = {}): SlotStatus => ({
  database: 'payments',
  plugin: 'pgoutput',
  active,
  activePid: active ? 100 : null,
  confirmedLsn,
  walStatus: 'reserved',
  invalidationReason: null,
  lagBytes: 0,
  retainedBytes: 0,
  ...more,
});
const known = (status: SlotStatus | undefined, storedLsn: bigint | undefined) => ({
  slot: status,
  storedLsn,
  offsetsKnown: true,
});
const away = (status: SlotStatus | undefined) => ({ slot: status, storedLsn: undefined, offsetsKnown: false });

test('a connector that loads, reads, is stopped, goes on and is restarted raises no alarm', () => {
  const { check } = createSlotGuard('s');
  const looks = [
    known(undefined, undefined),
    known(slot(10n, false), undefined),
    known(slot(10n), 10n),
    known(slot(20n), 25n),
    known(slot(25n, false), 25n),
    away(slot(25n, false)),
    away(slot(25n, false)),
    away(slot(40n)),
    known(slot(50n), 50n),
  ];
  expect(() => looks.forEach(check)).not.toThrow();
});

test.each([
  ['ahead of the stored offset', [known(slot(26n, false), 25n)], 'slot_moved'],
  [
    'moved while Connect is away',
    [known(slot(25n), 25n), away(slot(25n, false)), away(slot(30n, false))],
    'slot_moved',
  ],
  ['moved back', [known(slot(25n, false), 25n), known(slot(20n, false), 25n)], 'slot_moved'],
  ['dropped', [known(slot(25n), 25n), away(undefined)], 'slot_missing'],
  ['dropped before the first look', [known(undefined, 25n)], 'slot_missing'],
  ['without its WAL', [known(slot(25n, false, { walStatus: 'lost' }), 25n)], 'slot_lost'],
  ['invalidated', [away(slot(25n, false, { invalidationReason: 'idle_timeout' }))], 'slot_lost'],
] as const)('a slot that is %s raises the alarm', (_name, looks, reason) => {
  const { check } = createSlotGuard('s');
  for (const look of looks.slice(0, -1)) check(look);
  expect(() => check(looks.at(-1)!)).toThrow(expect.objectContaining({ name: 'CdcAlarm', reason }));
});

test('a copy of a slot that Debezium moves up to its stored offset before it reads on raises no alarm', () => {
  const { check } = createSlotGuard('s');
  const looks = [known(slot(20n, false), 25n), known(slot(25n, false), 25n), known(slot(25n), 25n)];
  expect(() => looks.forEach(check)).not.toThrow();
});

test('a slot may be missing after its offsets were forgotten on purpose', () => {
  const { check } = createSlotGuard('s');
  check(known(slot(25n), 25n));
  expect(() => check(known(undefined, undefined))).not.toThrow();
});

test('a reader in order may confirm more than Connect has stored, until the next flush and beyond its end', () => {
  const { check } = createSlotGuard('s');
  const looks = [
    known(slot(25n), 25n),
    known(slot(30n), 25n),
    known(slot(35n), 25n),
    known(slot(35n, false), 25n),
    known(slot(35n, true, { activePid: 101 }), 25n),
    known(slot(35n, true, { activePid: 101 }), 40n),
  ];
  expect(() => looks.forEach(check)).not.toThrow();
});

test.each([
  ['without a reader', slot(36n, false)],
  ['before its next reader', slot(36n, true, { activePid: 101 })],
])('a slot that goes on %s raises the alarm, also where its last reader was ahead', (_name, moved) => {
  const { check } = createSlotGuard('s');
  check(known(slot(25n), 25n));
  check(known(slot(35n), 25n));
  expect(() => check(known(moved, 25n))).toThrow(expect.objectContaining({ name: 'CdcAlarm', reason: 'slot_moved' }));
});
