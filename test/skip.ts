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
