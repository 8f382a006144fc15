import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';

const program = path.resolve(import.meta.dirname, '../../.ci/totals.mjs');
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'lab-totals-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function totals(report: string, exitStatus: number): Promise<string> {
  const file = path.join(directory, 'report.json');
  await writeFile(file, report);
  return (await promisify(execFile)(process.execPath, [program, file, String(exitStatus)])).stdout;
}

const report = (counts: object, testResults: object[] = []) =>
  JSON.stringify({ numPassedTests: 5, numFailedTests: 0, numPendingTests: 2, numTodoTests: 1, testResults, ...counts });

test.each([
  ['all passed', report({}), 0, '5 0 3\n'],
  [
    'two tests failed',
    report({ numFailedTests: 2 }, [{ status: 'failed', assertionResults: [{ status: 'failed' }] }]),
    1,
    '5 2 3\n',
  ],
  ['a file could not be loaded', report({}, [{ status: 'failed', assertionResults: [] }]), 1, '5 1 3\n'],
  ['an error outside of any test', report({}), 1, '5 1 3\n'],
  ['no test was found', report({ numPassedTests: 0 }), 0, '0 1 3\n'],
  ['no report was written', '', 1, '0 1 0\n'],
])('%s', async (_name, text, exitStatus, expected) => {
  expect(await totals(text, exitStatus)).toBe(expected);
});
