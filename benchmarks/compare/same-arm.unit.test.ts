import { expect, test } from 'vitest';
import { betweenRuns } from '../../lab/compare/between-runs.ts';
import { type SampleArm, sampleRun } from '../../test/benchmarks/sample-run.ts';
import { boundsInWords, claimOf } from '../report/ratio-words.ts';
import { spreadOf } from '../results/history.ts';
import { againName, compareToItself, withAgain, withFloors } from './same-arm.ts';
import { compareToControl } from './summary.ts';

const plain: SampleArm = { name: 'plain', rates: [1_000, 1_000, 1_000, 1_000, 1_000], fiveDaysMs: [90, 30] };

/** Rates scatter by half a percent around this share of plain's. */
function partitioned(share: number, reasons: string[] = []): SampleArm {
  const rates = [0.998, 1.001, 1, 1.002, 0.999].map((scatter) => 1_000 * share * scatter);
  return { name: 'partitioned', rates, fiveDaysMs: [30, 30], reasons };
}

/** Five rounds of plain, its second turns with these ratios to the first ones, and partitioned at `ratio`. */
function againstItself(itself: readonly number[], ratio: number, earlier: Record<string, number> = {}) {
  const again = sampleRun([{ ...plain, rates: plain.rates.map((rate, at) => rate * itself[at]!) }]).measurements.map(
    (measurement) => ({ ...measurement, arm: againName('plain') }),
  );
  const own = sampleRun([plain, partitioned(ratio)]).measurements;
  const same = compareToItself([...own, ...again], 'plain', { runs: 2, spread: earlier });
  const comparisons = withFloors(compareToControl(own, 'plain'), same);
  return { same, rate: comparisons.find(({ metric }) => metric === 'ingest.rate')! };
}

test('an arm against itself says what difference can be told at all', () => {
  const { same, rate } = againstItself([1, 1.01, 0.99, 1.01, 0.99], 0.9);
  expect(same.comparisons.map(({ arm, control }) => [arm, control])[0]).toEqual(['plain again', 'plain']);
  expect(rate.floor).toBeCloseTo(0.0125, 3);
  expect(claimOf(rate)).toBe('below');
});

test('a difference no larger than that of an arm to itself is refused, and that is said', () => {
  const { rate } = againstItself([1.2, 0.9, 1.1, 0.85, 1], 0.97);
  expect(rate.high).toBeLessThan(1);
  expect(claimOf(rate)).toBe('undecided');
  expect(boundsInWords(rate)).toMatch(
    /^95 % interval 0\.97–0\.97, but the control differs from itself by up to \d\d %$/,
  );
});

test('what earlier runs showed of an arm against itself counts too', () => {
  const { rate } = againstItself([1, 1, 1, 1, 1], 0.97, { 'ingest.rate': Math.log(1.08) });
  expect(rate.floor).toBeCloseTo(0.08);
  expect(claimOf(rate)).toBe('undecided');
});

test('only runs of this machine with this control that count are in the history', () => {
  const sameArm = againstItself([1.1, 1.1, 1.1, 1.1, 1.1], 1).same;
  const run = sampleRun([plain, partitioned(0.9)], { sameArm });
  const machine = run.environment;
  expect(spreadOf([run, sampleRun([plain])], machine, 'plain')).toMatchObject({
    runs: 1,
    spread: { 'ingest.rate': expect.closeTo(Math.log(1.1)) },
  });
  expect(spreadOf([run], { ...machine, cores: 64 }, 'plain').runs).toBe(0);
  expect(spreadOf([run], machine, 'partitioned').runs).toBe(0);
  expect(spreadOf([{ ...run, verdict: 'DISCARDED' }], machine, 'plain').runs).toBe(0);
});

test('the second turn of the control lies between the turns of the others', () => {
  const names = (count: number) =>
    withAgain(
      ['plain', 'b', 'c', 'd'].slice(0, count).map((name) => ({ name })),
      { name: 'again' },
    ).map(({ name }) => name);
  expect(names(2)).toEqual(['plain', 'b', 'again']);
  expect(names(3)).toEqual(['plain', 'b', 'again', 'c']);
  expect(names(4)).toEqual(['plain', 'b', 'c', 'again', 'd']);
});

test('several runs are told by how far apart they lie', () => {
  const { same } = againstItself([1, 1.01, 0.99, 1, 1], 0.9);
  const runs = [sampleRun([plain, partitioned(0.9)], { sameArm: same }), sampleRun([plain, partitioned(0.9, ['x'])])];
  expect(betweenRuns(runs)).toEqual([
    '1 of 2 runs count.',
    'webhooks/s at p99 ≤ 100 ms, partitioned over plain: 0.90 ×',
    'webhooks/s at p99 ≤ 100 ms, plain again over plain: 1.00 ×',
  ]);
});
