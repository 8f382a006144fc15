import { expect, test } from 'vitest';
import type { CitusConversionResult } from '../../operations/conversion/citus/result.ts';
import { describeCitusResult } from './citus-text.ts';

const result: CitusConversionResult = {
  phase: 'finished',
  durationMs: 12_345,
  target: '127.0.0.1:5432/payments',
  rowsCopied: 30,
  changesApplied: 4,
  tables: [{ table: 'orders', rowsCopied: 30, changesApplied: 4 }],
  rounds: 2,
  changesInSwitch: 3,
  longestLockMs: 90,
  withoutWritesMs: 700,
  disk: null,
  locks: [
    { step: 'capture orders', taken: true, waitedMs: 1, heldMs: 2 },
    { step: 'switch', taken: true, waitedMs: 30, heldMs: 60 },
  ],
  compared: [{ table: 'orders', rows: 31, amountMinor: '5000' }],
  cdc: { slot: 'lab_cdc', workers: 2, drained: true },
  throughput: { beforePerSecond: 300, duringPerSecond: 290, afterPerSecond: null },
};

test('the report names what was moved, what was locked, and for how long no service could write', () => {
  const text = describeCitusResult(result).replace(/ +/g, ' ');
  expect(text).toContain('state finished; the services run on the cluster, the old database takes no more writes');
  expect(text).toContain('longest lock 90.0 ms of 2 (switch: 30 ms waiting, 60 ms held)');
  expect(text).toContain('no writes 700 ms at the most');
  expect(text).toContain('a slot on each of 2 workers; the old one was read to its end');
  expect(text).toContain('before 300/s, during 290/s, after not measured');
  expect(text).toContain('orders 30 4 31 equal 5000');
});

test('what is not known is said to be unknown', () => {
  const unknown = { compared: null, cdc: null, withoutWritesMs: null, changesInSwitch: null, locks: [] };
  const text = describeCitusResult({ ...result, ...unknown, phase: 'switched' }).replace(/ +/g, ' ');
  expect(text).toContain('restart the services with TOPOLOGY=citus on the cluster, then run this with --finish');
  expect(text).toContain('no writes not ours to say');
  expect(text).toContain('in the switch not yet');
  expect(text).toContain('analytics none');
});
