import { expect, test } from 'vitest';
import { type Movement, parseSettlement, reconcile } from './settlement.ts';

const paid = (key: string, changes: Partial<Movement> = {}): Movement => {
  return { type: 'capture', key, reference: `crd_${key}`, amountMinor: 100n, currency: 'EUR', ...changes };
};

function problems(theirs: Movement[], ours: Movement[], theirsBefore: Movement[] = [], known = ours): string[] {
  return reconcile('card', { theirs, theirsBefore, ours, known }).map(({ problem, key }) => `${problem} ${key}`);
}

test('equal sides have no difference, over midnight neither', () => {
  expect(problems([paid('a'), paid('b')], [paid('b'), paid('a')])).toEqual([]);
  expect(problems([], [paid('a')], [paid('a')])).toEqual([]);
  expect(problems([paid('a')], [], [], [paid('a')])).toEqual([]);
});

test.each<[string, Movement[], Movement[], string[]]>([
  ['missing here', [paid('a')], [], ['missing_here a']],
  ['missing there', [], [paid('a')], ['missing_there a']],
  ['double', [paid('a'), paid('a')], [paid('a')], ['double a']],
  ['another amount', [paid('a', { amountMinor: 101n })], [paid('a')], ['different a']],
  ['another currency', [paid('a', { currency: 'USD' })], [paid('a')], ['different a']],
  ['another reference', [paid('a', { reference: 'x' })], [paid('a')], ['different a']],
  ['a refund for a capture', [paid('a', { type: 'refund' })], [paid('a')], ['missing_here a', 'missing_there a']],
])('%s', (_name, theirs, ours, expected) => {
  expect(problems(theirs, ours)).toEqual(expected);
});

test('settled again on the next day is double', () => {
  expect(problems([paid('a')], [], [paid('a')], [paid('a')])).toEqual(['double a']);
});

const header = 'type,key,reference,amount_minor,currency,settled_at\n';

test('a file is read, and a line that can’t be read is named', () => {
  expect(parseSettlement(`${header}capture,a,crd_a,100,EUR,2026-01-31T00:00:00Z\n`)).toEqual([paid('a')]);
  for (const line of ['capture,a,crd_a,1.5,EUR', 'order,a,crd_a,1,EUR', 'capture,,crd_a,1,EUR', 'capture,a,crd_a,1']) {
    expect(() => parseSettlement(`${header}${line}\n`)).toThrow('line 2');
  }
  expect(() => parseSettlement('a,b')).toThrow('must begin with');
});
