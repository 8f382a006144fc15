import { expect, test } from 'vitest';
import type { Measurement } from '../schema/turn.ts';
import type { Conditions } from './conditions.ts';
import { judgeConditions, judgeConditionsTogether } from './judge.ts';
import { type MachineSample, parseCpu, pressureOf } from './machine.ts';
import { compareSamples } from './watch.ts';

const durable = { fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on' };

function quiet(changes: Partial<Conditions> = {}): Conditions {
  return {
    durationS: 12,
    cores: 2,
    labCores: 1.8,
    outsideCores: 0.05,
    stolenCores: 0,
    cpuPressure: 0.4,
    ioPressure: 0.01,
    spinMs: { before: 4, after: 4.2 },
    syncMs: { before: 1, after: 1 },
    restarted: [],
    clockStepMs: 0.3,
    durability: { atStart: durable, atEnd: durable },
    ...changes,
  };
}

const off = { ...durable, synchronous_commit: 'off' };

test.each<[string, Partial<Conditions>, RegExp | undefined]>([
  ['nothing speaks against it', {}, undefined],
  [
    'the platform tells little',
    { outsideCores: null, cpuPressure: null, ioPressure: null, durability: null },
    undefined,
  ],
  [
    'synchronous_commit is off',
    { durability: { atStart: off, atEnd: off } },
    /^synchronous_commit is off in the service’s session: what it acknowledges is not on disk$/,
  ],
  ['fsync is off', { durability: { atStart: { fsync: 'off' }, atEnd: { fsync: 'off' } } }, /^fsync is off/],
  [
    'it was turned off meanwhile',
    { durability: { atStart: durable, atEnd: off } },
    /^synchronous_commit changed from on to off during the turn$/,
  ],
  [
    'it was on at the end only',
    { durability: { atStart: off, atEnd: durable } },
    /^synchronous_commit changed from off to on/,
  ],
  ['the clock was set forward', { clockStepMs: 3_000 }, /^the clock was set by 3\.0 s during the turn$/],
  ['the clock was set back', { clockStepMs: -600 }, /^the clock was set by -0\.6 s/],
  ['a part was started again', { restarted: ['api'] }, /^started again during the turn: api$/],
  [
    'most of the machine was taken',
    { outsideCores: 1.3 },
    /^other processes used 1\.3 of 2 cores: end them, or measure when they have ended$/,
  ],
  [
    'the host gave the cores to others',
    { outsideCores: 0.2, stolenCores: 1.1 },
    /^other processes used 1\.3 of 2 cores \(1\.1 of them other guests of the host\)/,
  ],
])('a turn is judged by itself: %s', (_what, changes, reason) => {
  const reasons = judgeConditions(quiet(changes));
  if (reason) expect(reasons).toEqual([expect.stringMatching(reason)]);
  else expect(reasons).toEqual([]);
});

function turn(arm: string, round: number, changes: Partial<Conditions> = {}): Measurement {
  const place = { arm, round, position: 1, part: 'ingest', startedAt: '2026-01-31T12:01:00.000Z', durationS: 12 };
  return { scenario: 'ingest', ...place, verdict: 'VALID', reasons: [], data: {}, conditions: quiet(changes) };
}

const hog = { outsideCores: 0.6 };

test.each<[string, Measurement[], Record<number, RegExp>]>([
  ['all alike', [turn('plain', 1), turn('partitioned', 1)], {}],
  [
    'a CPU hog beside one arm of two',
    [turn('plain', 1), turn('partitioned', 1, hog)],
    { 1: /^other processes used 0\.6 of 2 cores during this turn, and 0\.1 of 2 cores during another one beside it$/ },
  ],
  [
    'a CPU hog beside one arm of three',
    [turn('plain', 1, hog), turn('partitioned', 1), turn('replicated', 1)],
    { 0: /0\.6 of 2 cores/ },
  ],
  ['a CPU hog beside all arms, which no ratio sees', [turn('plain', 1, hog), turn('partitioned', 1, hog)], {}],
  [
    'a CPU hog in one round of both arms',
    [turn('plain', 1), turn('partitioned', 1), turn('plain', 2, hog), turn('partitioned', 2, hog)],
    {},
  ],
  [
    'a CPU hog in one round of the only arm',
    [turn('plain', 1), turn('plain', 2, hog), turn('plain', 3)],
    { 1: /0\.6/ },
  ],
  [
    'cores that were slower beside one arm',
    [turn('plain', 1), turn('partitioned', 1, { spinMs: { before: 4, after: 7.5 } })],
    { 1: /^the cores were slower: the same arithmetic took 7\.5 ms beside this turn, 4\.0 ms beside another one$/ },
  ],
  [
    'another durability in one arm',
    [
      turn('plain', 1),
      turn('partitioned', 1, { durability: { atStart: durable, atEnd: { ...durable, synchronous_commit: 'local' } } }),
    ],
    { 0: /^synchronous_commit is on in this arm and local in another$/, 1: /^synchronous_commit is local in this arm/ },
  ],
  ['a turn of before conditions were watched', [turn('plain', 1), { ...turn('partitioned', 1), conditions: null }], {}],
])('turns are judged beside each other: %s', (_what, measurements, expected) => {
  const found = judgeConditionsTogether(measurements);
  expect([...found.keys()]).toEqual(Object.keys(expected).map(Number));
  for (const [at, reason] of Object.entries(expected))
    expect(found.get(Number(at))).toEqual([expect.stringMatching(reason)]);
});

test('what other processes used is what all used without the lab', () => {
  const sample = (changes: Partial<MachineSample>): MachineSample => {
    const none = { atMs: 0, wallMs: 0, busyS: 0, stolenS: 0, labS: 0, cpuPressureS: 0, ioPressureS: null };
    return { ...none, ...changes };
  };
  const end = { atMs: 10_000, wallMs: 12_000, busyS: 18, stolenS: 1, labS: 13, cpuPressureS: 5, ioPressureS: 2 };
  expect(compareSamples(sample({}), sample(end), 2)).toEqual({
    durationS: 10,
    cores: 2,
    labCores: 1.3,
    outsideCores: 0.5,
    stolenCores: 0.1,
    cpuPressure: 0.5,
    ioPressure: null,
    clockStepMs: 2_000,
  });
});

test('counters are read as the kernel writes them', () => {
  expect(parseCpu('cpu  100 20 30 5000 7 0 9 40 0 0\ncpu0 1 1 1 1\n')).toEqual({ busyS: 1.5, stolenS: 0.4 });
  expect(parseCpu('nothing')).toEqual({ busyS: null, stolenS: 0 });
  const pressure = 'some avg10=1.00 avg60=0.5 avg300=0.1 total=2500000\nfull avg10=0 avg60=0 avg300=0 total=500000\n';
  expect(pressureOf(pressure, 'some')).toBe(2.5);
  expect(pressureOf(pressure, 'full')).toBe(0.5);
  expect(pressureOf(undefined, 'some')).toBeNull();
});
