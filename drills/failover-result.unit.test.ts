import { expect, test } from 'vitest';
import type { AuditResult, Invariant } from '../audit/audit.ts';
import { type FailoverFindings, type Promotion, problemsOf } from './failover-result.ts';

const invariant = (id: Invariant['id'], violations: number): Invariant => ({
  id,
  title: id,
  checked: 10,
  violations,
  examples: [],
  ok: violations === 0,
  note: null,
});
const audit = (broken: Partial<Record<Invariant['id'], number>> = {}): AuditResult => {
  const invariants = (['I2', 'I3', 'I5', 'I8', 'state'] as const).map((id) => invariant(id, broken[id] ?? 0));
  return { invariants, ok: invariants.every(({ ok }) => ok) };
};
const promotion: Promotion = {
  number: 1,
  fault: 'SIGKILL',
  acksBefore: 1,
  from: 'a',
  to: 'b',
  fencedMs: 1,
  promotedMs: 2,
  firstAckMs: 3,
  oldPrimary: { accepted: false, code: '57P03', message: null },
  rebuiltBy: 'copy',
  rebuiltMs: 4,
  slotSurvived: true,
};
const clean: FailoverFindings = {
  synchronous: true,
  audit: audit(),
  promotions: [promotion],
  gaveUp: 0,
  oldPrimaryAcceptedWrites: 0,
  slot: { survived: 1, events: 10, missing: 0, unknown: 0, repeated: 2 },
};

test('a drill without a finding passes', () => {
  expect(problemsOf(clean)).toEqual([]);
});

test.each([
  ['a lost acknowledgement', { audit: audit({ I2: 1 }) }, 'I2: 1'],
  ['a doubled effect', { audit: audit({ I3: 2 }) }, 'I3: 2'],
  ['a stale read', { audit: audit({ I8: 1 }) }, 'I8: 1'],
  ['a write on an old primary', { oldPrimaryAcceptedWrites: 1 }, 'old primary accepted'],
  ['no write after a promotion', { promotions: [{ ...promotion, firstAckMs: null }] }, 'no write was acknowledged'],
  ['a webhook without an answer', { gaveUp: 1 }, 'no answer'],
  ['a lost slot', { slot: { ...clean.slot!, survived: 0 } }, 'slot was missing'],
  ['a gap in the slot', { slot: { ...clean.slot!, missing: 3 } }, '3 events never came'],
  ['events that were lost afterwards', { slot: { ...clean.slot!, unknown: 1 } }, 'delivered 1 events'],
])('%s fails it', (_name, change, problem) => {
  expect(problemsOf({ ...clean, ...change })).toEqual([expect.stringContaining(problem)]);
});

test('asynchronous replicas may lose the newest commits, but nothing may be doubled or out of order', () => {
  const asynchronous = { ...clean, synchronous: false };
  expect(problemsOf({ ...asynchronous, audit: audit({ I2: 5, I8: 1 }) })).toEqual([]);
  expect(problemsOf({ ...asynchronous, audit: audit({ I5: 1 }) })).toHaveLength(1);
  expect(problemsOf({ ...asynchronous, audit: audit({ state: 1 }) })).toHaveLength(1);
});
