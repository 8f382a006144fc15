import { expect, test } from 'vitest';
import { samplePhase } from '../../../test/benchmarks/sample-run.ts';
import type { AcceptanceArm, AcceptanceDocument } from './document.ts';
import { describeArms, judgeAcceptance, type Rounds, ratioOfRates } from './judge.ts';

type Round = AcceptanceArm['rounds'][number];
type Changes = { load?: Partial<Round['load']>; drained?: boolean };

/** Rounds of an arm by their rates; `changes` apply to the last one. */
function rounds(rates: readonly number[], changes: Changes = {}): Round[] {
  return rates.map((rate, at) => {
    const own = at === rates.length - 1 ? changes : {};
    const load = { ...samplePhase(rate), rate, sent: 10_000, acknowledged: 10_000, errors: 0, ...own.load };
    return { round: at + 1, position: 1, load, drainMs: 5, drained: own.drained ?? true };
  });
}

function measured(changes: Changes = {}): Rounds {
  return new Map([
    ['sync', rounds([1_000, 1_100, 1_200])],
    ['kafka', rounds([1_200, 1_320, 1_440], changes)],
    ['kafka-burst', rounds([2_000, 2_200, 2_400])],
  ]);
}

const clean: AcceptanceDocument['audits'] = [
  { mode: 'sync', ok: true, acknowledged: 9, broken: [] },
  { mode: 'kafka', ok: true, acknowledged: 9, broken: [] },
];

test('rates are held against sync mode, each of the two ways of kafka mode on its own', () => {
  expect(ratioOfRates(measured(), 'kafka')).toMatchObject({ ratio: expect.closeTo(1.2), low: expect.closeTo(1.2) });
  expect(ratioOfRates(measured(), 'kafka-burst').ratio).toBeCloseTo(2);
  expect(describeArms(measured()).map(({ name, medianRate }) => [name, medianRate])).toEqual([
    ['sync', 1_100],
    ['kafka', 1_320],
    ['kafka-burst', 2_200],
  ]);
});

test('CPU is counted per accepted webhook over all rounds; a process that was restarted takes nothing back', () => {
  const used = (api: number) => ({ load: { cpuSeconds: { api, broker: 1 } } });
  const burst: Rounds = new Map([['kafka-burst', [...rounds([1_000], used(3)), ...rounds([1_000], used(-2))]]]);
  expect(describeArms(burst)[0]!.cpuUs).toEqual({ api: 150, broker: 100 });
});

test.each<[string, Changes, typeof clean, string[]]>([
  ['nothing speaks against it', {}, clean, []],
  ['one error in a thousand is tolerated', { load: { errors: 10, acknowledged: 9_990 } }, clean, []],
  [
    'more are not',
    { load: { errors: 11, acknowledged: 9_989 } },
    clean,
    ['kafka, round 3: 11 errors in 10000 requests'],
  ],
  [
    'requests are lost without being counted as errors',
    { load: { acknowledged: 6_000 } },
    clean,
    ['kafka, round 3: 4000 errors in 10000 requests'],
  ],
  [
    'a handful of requests was sent',
    { load: { sent: 3, acknowledged: 3 } },
    clean,
    ['kafka, round 3: 3 requests are too few: 500 at least'],
  ],
  [
    'a part was started again meanwhile',
    { load: { cpuSeconds: { broker: -1 } } },
    clean,
    ['kafka, round 3: broker was started again, so its CPU time is not known'],
  ],
  [
    'an audit looked up one webhook',
    {},
    [clean[0]!, { mode: 'kafka', ok: true, acknowledged: 1, counted: 900, broken: [] }],
    ['audit of kafka: 1 webhooks were looked up, and the client counted 900'],
  ],
  [
    'what was accepted was lost on the way',
    { drained: false },
    clean,
    [expect.stringContaining('kafka, round 3: what')],
  ],
  [
    'rounds lie too far apart',
    { load: { rate: 300 } },
    clean,
    [expect.stringMatching(/^kafka: rounds \d+ % of their/)],
  ],
  [
    'an audit found something',
    {},
    [clean[0]!, { mode: 'kafka', ok: false, acknowledged: 9, broken: ['I2 broken 3 times'] }],
    ['audit of kafka: I2 broken 3 times'],
  ],
  [
    'an audit looked nothing up',
    {},
    [clean[0]!, { mode: 'kafka', ok: true, acknowledged: 0, broken: [] }],
    ['audit of kafka: no acknowledged webhook was looked up'],
  ],
])('a run is discarded for a reason: %s', (_what, changes, audits, reasons) => {
  expect(judgeAcceptance(measured(changes), audits)).toEqual(reasons);
});
