import { expect, test } from 'vitest';
import { judgePhase } from '../../benchmarks/measure/judge-phase.ts';
import { samplePhase } from '../../test/benchmarks/sample-run.ts';
import { sizesFor } from './sizes.ts';

test('an idle machine of usual speed has the usual sizes', () => {
  expect(sizesFor(3, 0.2).scale).toBe(0.7);
  expect(sizesFor(3, 0.2).reason).toBeUndefined();
});

test.each([
  ['slow', 9, 0.1, /^this machine is slow \(9\.0 ms/],
  ['busy', 3, 0.8, /^other programs keep this machine busy \(load 0\.8 a core\)$/],
])('a %s machine has smaller ones, for a reason that is said', (_what, spinMs, load, reason) => {
  const { scale, pace, reason: said } = sizesFor(spinMs, load);
  expect(scale).toBeLessThan(0.7);
  expect(pace.backlogEvents).toBeLessThan(80_000);
  expect(said).toMatch(reason);
  // A hold lasts two seconds at scale 1.
  expect(judgePhase('hold', samplePhase(1_000, { durationS: 2 * scale }))).toEqual([]);
});
