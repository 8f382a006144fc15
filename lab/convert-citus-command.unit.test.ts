import { expect, test } from 'vitest';
import type { SystemDescription } from '../runtime/native/system.ts';
import type { ConvertFlags } from './commands/convert.ts';
import { checkRun, convertCitus } from './convert-citus-command.ts';

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

test('a database of one’s own needs a cluster of one’s own', async () => {
  const flags = { dsn: 'postgresql://h/d' } as ConvertFlags;
  await expect(convertCitus(flags)).rejects.toThrow('--dsn needs --to');
  await expect(convertCitus({ ...flags, compare: false })).rejects.toThrow('--no-compare is for partitioned');
  await expect(convertCitus({ ...flags, to: 'h:5432' })).rejects.toThrow('--to has to look like postgresql://');
});
