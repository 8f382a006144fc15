import type { Reporter, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node';

/**
 * Prints one line per skipped suite, or single test, at the end of a run: nothing is left out silently. Tests that the
 * caller left out by `-t` count as skipped too, and are not announced.
 */
export default class SkipReporter implements Reporter {
  #filtered = false;

  onInit(vitest: Vitest): void {
    this.#filtered = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    if (this.#filtered) return;
    const tests = modules.flatMap((module) => [...module.children.allTests('skipped')]);
    for (const line of skipLines(tests)) process.stdout.write(`${line}\n`);
  }
}

type Skipped = Pick<TestCase, 'name' | 'parent' | 'result'>;

/** `SKIPPED <name>: <reason>`; tests that share a skipped suite share its line. */
export function skipLines(tests: readonly Skipped[]): string[] {
  const counts = new Map<string, number>();
  for (const test of tests) {
    const line = skipLine(test);
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return [...counts].map(([line, count]) => (count === 1 ? line : `${line} (${count} tests)`));
}

function skipLine(test: Skipped): string {
  const result = test.result();
  const note = result.state === 'skipped' ? result.note : undefined;
  const names = [...suiteNames(test.parent), test.name];
  const withReason = names.findIndex((name) => reasonInName.test(name));
  if (note === undefined && withReason >= 0) {
    const [, name, reason] = reasonInName.exec(names[withReason]!)!;
    return `SKIPPED ${[...names.slice(0, withReason), name].join(' > ')}: needs ${reason}`;
  }
  return `SKIPPED ${names.join(' > ')}: ${note ?? 'no reason given'}`;
}

const reasonInName = /^(.*) \(needs (.*)\)$/;

function suiteNames(parent: TestSuite | TestModule): string[] {
  return parent.type === 'module' ? [] : [...suiteNames(parent.parent), parent.name];
}
