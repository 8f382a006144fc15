import { expect, test } from 'vitest';
import type { SystemDescription } from '../../../runtime/system-description.ts';
import { checkRun } from './places.ts';

const run = (given: Partial<SystemDescription>) =>
  ({ id: 'abc', topology: 'partitioned', cdc: 'native', ...given }) as SystemDescription;

test('only a partitioned system that a cluster can replace is converted, and the message says what to do instead', () => {
  expect(() => checkRun(run({}))).not.toThrow();
  expect(() => checkRun(run({ topology: 'plain' }))).toThrow('Run abc is plain. First: lab convert partitioned');
  expect(() => checkRun(run({ topology: 'citus' }))).toThrow('Run abc is citus: only partitioned becomes citus');
  expect(() => checkRun(run({ topology: 'replicated' }))).toThrow('only partitioned becomes citus');
  expect(() => checkRun(run({ cdc: 'debezium' }))).toThrow('use --cdc native');
  const pooler = { version: '1', dsn: 'postgresql://h/d', preparedStatements: true };
  expect(() => checkRun(run({ pooler }))).toThrow('start it without --pgbouncer');
  expect(() => checkRun(run({ compose: { name: 'c', environmentFiles: [] } }))).toThrow('convert a native system');
});

test('a conversion that is under way may go on, whatever the system is by now', () => {
  expect(() => checkRun(run({ topology: 'citus', conversion: { source: 'a', target: 'b' } }))).not.toThrow();
});
