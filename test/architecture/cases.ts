import { describe, expect, test } from 'vitest';
import type { Rule, SourceFile } from './source.ts';

/** Made-up files for a rule, which must be able to fail and must leave innocent code alone. */
export interface Case {
  name: string;
  rule: Rule;
  /** Each of them alone breaks the rule once. */
  broken: SourceFile[];
  /** Together they keep it. */
  fine: SourceFile[];
}

/** A file of the given lines. */
export function file(path: string, ...lines: string[]): SourceFile {
  return { path, text: `${lines.join('\n')}\n` };
}

export function describeRules(cases: readonly Case[]): void {
  describe.each(cases)('$name', ({ rule, broken, fine }) => {
    test.each(broken)('refuses $path', (one) => expect(rule([one])).toHaveLength(1));
    test('accepts what is in order', () => expect(rule(fine)).toEqual([]));
  });
}
