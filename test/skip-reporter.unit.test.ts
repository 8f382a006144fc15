import { expect, test } from 'vitest';
import type { TestCase } from 'vitest/node';
import { skipLines } from './skip-reporter.ts';

function skipped(names: string[], note?: string): TestCase {
  const module = { type: 'module' };
  const parent = names.slice(0, -1).reduce<object>((above, name) => ({ type: 'suite', name, parent: above }), module);
  return { name: names.at(-1), parent, result: () => ({ state: 'skipped', note }) } as unknown as TestCase;
}

test('tests of a skipped suite share one line, with name and reason', () => {
  expect(
    skipLines([
      skipped(['pg_partman (needs apt install x)', 'makes partitions']),
      skipped(['pg_partman (needs apt install x)', 'inner', 'drops partitions']),
      skipped(['outer', 'as root (needs root)']),
      skipped(['outer', 'told by itself'], 'the checkout is unreadable'),
      skipped(['silent']),
    ]),
  ).toEqual([
    'SKIPPED pg_partman: needs apt install x (2 tests)',
    'SKIPPED outer > as root: needs root',
    'SKIPPED outer > told by itself: the checkout is unreadable',
    'SKIPPED silent: no reason given',
  ]);
});
