import { describe } from 'vitest';

/**
 * A suite that needs something which not every machine has. Where it is missing, the suite is skipped, and the end of
 * the run prints one line with its name and the reason.
 * @param missing What is missing and how to get it; undefined where nothing is.
 */
export function describeIf(name: string, missing: string | undefined, suite: () => void): void {
  if (missing === undefined) describe(name, suite);
  else describe.skip(`${name} (needs ${missing})`, suite);
}

/**
 * What `describeIf` takes for suites that are too long for every run: they run when LAB_TEST_LONG is 1.
 * @param duration As in `four minutes`.
 */
export function longTier(duration: string): string | undefined {
  return process.env.LAB_TEST_LONG === '1' ? undefined : `LAB_TEST_LONG=1, since it takes ${duration}`;
}
