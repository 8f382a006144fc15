import { expect, test } from 'vitest';
import type { AuditResult, Invariant } from '../audit/audit.ts';
import { type KillFindings, problemsOf } from './kills-result.ts';

const invariant = (change: Partial<Invariant> = {}): Invariant => ({
  id: 'I2',
  title: 'nothing is lost',
  checked: 9,
  violations: 0,
  examples: [],
  ok: true,
  note: null,
  ...change,
});
const audited = (change: Partial<Invariant>): AuditResult => ({ ok: false, invariants: [invariant(change)] });
const recovery = { number: 7, part: 'api', runningMs: 800, recoveredMs: 1_200, unacknowledgedMs: 900 };

const sound: KillFindings = {
  recoveries: [recovery],
  drained: true,
  audit: { ok: true, invariants: [invariant()] },
  processes: [{ name: 'api', pid: 1, state: 'running', restarts: 1 }],
  gaveUp: 0,
  limitMs: 10_000,
};

test('a drill after which all is well and clean has no problem', () => {
  expect(problemsOf(sound)).toEqual([]);
});

test.each<[string, Partial<KillFindings>, string]>([
  ['never recovered', { recoveries: [{ ...recovery, recoveredMs: null }] }, 'without api the system did not recover'],
  ['took too long', { recoveries: [{ ...recovery, recoveredMs: 10_001 }] }, 'kill 7: api took 10001 ms'],
  [
    'is down in the end',
    { processes: [{ name: 'cdc', pid: 1, state: 'down', restarts: 4 }] },
    'cdc is down in the end',
  ],
  ['left a webhook unanswered', { gaveUp: 2 }, '2 webhooks got no answer at all'],
  ['did not deliver all', { drained: false }, 'what was accepted has not all arrived'],
  ['lost one', { audit: audited({ violations: 3, ok: false }) }, 'I2: 3 violations of "nothing is lost"'],
  ['could not be audited', { audit: audited({ ok: false }) }, 'I2: could not be checked'],
])('a drill whose system %s has not passed', (_what, change, problem) => {
  const problems = problemsOf({ ...sound, ...change });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(problem);
});
