import { expect, test, vi } from 'vitest';
import { addFreshness } from '../../benchmarks/compare/with-freshness.ts';
import { UsageError } from '../../runtime/usage-error.ts';
import { sampleFreshness, sampleRun } from '../../test/benchmarks/sample-run.ts';
import { auditTable } from '../audit/table.ts';
import { checkScenarios, checkTopologies } from './choices.ts';
import { runSteps } from './run-steps.ts';
import { comparisonTable, freshnessTable, remarks } from './tables.ts';

const document = sampleRun([
  { name: 'plain', rates: [1_000, 1_010, 990], fiveDaysMs: [90, 30] },
  { name: 'partitioned', rates: [900, 909, 891], fiveDaysMs: [30, 30], reasons: ['audit: I3 broken'] },
]);

test('names are checked, in the registry’s order and each once', () => {
  const found = checkScenarios(['timeline', 'ingest', 'ingest']);
  expect(found.map(({ name }) => name)).toEqual(['ingest', 'timeline']);
  expect(checkTopologies(['replicated', 'plain', 'plain'])).toEqual(['replicated', 'plain']);
  expect(() => checkScenarios(['speed'])).toThrow(UsageError);
  expect(() => checkTopologies(['plain', 'flat'])).toThrow(UsageError);
});

test('the table has a line for each arm with its ratio to the control', () => {
  const [head, first, second] = comparisonTable(document).split('\n');
  expect(head).toMatch(/webhooks\/s\s+ratio \(bounds\)/);
  expect(first).toMatch(/^plain\s+VALID\s+1,000\s+control\s.*90 ms\s+30 ms\s+clean/);
  expect(second).toMatch(/^partitioned\s+DISCARDED\s+900\s+0\.90 \(0\.90–0\.90\)/);
});

test('what does not count and what is absent is said', () => {
  expect(remarks(document)).toEqual([
    'partitioned does not count: audit: I3 broken',
    'not here: citus, because not installed',
  ]);
});

test('the CDC engines have a table of their own, and one that does not count discards the run', () => {
  const valid = sampleRun([{ name: 'plain', rates: [1_000, 1_010, 990], fiveDaysMs: [90, 30] }]);
  const freshness = sampleFreshness(valid);
  const run = addFreshness(valid, freshness);
  expect(run).toMatchObject({ verdict: 'VALID', scenarios: ['ingest', 'timeline', 'freshness'] });
  const [, native, debezium] = freshnessTable(run)!.split('\n');
  expect(native).toMatch(/^native\s+VALID\s+1,000\s+200 ms\s+700 ms\s+read to sunk\s+40,000\s+clean/);
  expect(debezium).toMatch(/^debezium\s+VALID.*1,400 ms/);
  const [first, second] = freshness.engines;
  const broken = { ...second!, verdict: 'DISCARDED' as const, reasons: ['audit: I6 broken 3 times'] };
  expect(addFreshness(valid, { ...freshness, engines: [first!, broken] })).toMatchObject({
    verdict: 'DISCARDED',
    reasons: ['debezium: audit: I6 broken 3 times'],
  });
  expect(freshnessTable(valid)).toBeUndefined();
});

test('an audit lists the ids that break an invariant', () => {
  const invariant = { id: 'I2' as const, title: 'stored', checked: 9, violations: 1, note: null, ok: false };
  const text = auditTable({ ok: false, invariants: [{ ...invariant, examples: ['silvergate/evt_1: lost'] }] });
  expect(text).toMatch(/✗\s+I2\s+stored\s+9\s+1/);
  expect(text).toContain('I2  silvergate/evt_1: lost');
});

test('outside a terminal the steps are plain lines on stderr, and an error ends them', async () => {
  const lines: string[] = [];
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
  const boom = { title: 'second', run: () => Promise.reject(new Error('no')) };
  const first = {
    title: 'first',
    run: async (note: (line: string) => void) => {
      note('begins …');
      note('half');
    },
  };
  try {
    await expect(runSteps([first, boom, first], false)).rejects.toThrow('no');
  } finally {
    write.mockRestore();
  }
  expect(lines.join('')).toBe('0:00  first\n0:00        half\n0:00  second\n');
});
