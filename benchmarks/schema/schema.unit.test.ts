import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { sampleRun } from '../../test/benchmarks/sample-run.ts';
import { missedTargets } from './result.ts';
import { checkRunDocument, runDocument, runJsonSchema } from './validate.ts';

const sample = () => sampleRun([{ name: 'plain', rates: [900, 1_000, 1_100], fiveDaysMs: [90, 30] }]);

test('the committed JSON Schema is the one that the code means (else: node benchmarks/schema/write.ts)', async () => {
  const committed = await readFile(new URL('./run.schema.json', import.meta.url), 'utf8');
  expect(JSON.parse(committed)).toEqual(JSON.parse(runJsonSchema()));
});

test('a run’s document fits the schema and the types', async () => {
  const document = sample();
  expect(await checkRunDocument(JSON.parse(JSON.stringify(document)))).toEqual(document);
  expect(runDocument.parse(document)).toEqual(document);
});

test.each([
  ['lacks a field', (document: Record<string, unknown>) => delete document.verdict, /verdict/],
  ['has an unknown one', (document: Record<string, unknown>) => Object.assign(document, { mood: 1 }), /additional/],
  ['has a wrong id', (document: Record<string, unknown>) => Object.assign(document, { id: '../x' }), /\/id/],
  [
    'has a wrong verdict',
    (document: Record<string, unknown>) => Object.assign(document, { verdict: 'OK' }),
    /\/verdict/,
  ],
])('a document that %s is refused', async (_what, spoil, message) => {
  const document = { ...sample() } as Record<string, unknown>;
  spoil(document);
  await expect(checkRunDocument(document)).rejects.toThrow(message);
});

test('a missed target is found in documents of one target and of several, and in none without', () => {
  const missed = { what: 'rate', target: '≥ 1.00 ×', measured: '0.90 ×', met: false };
  const met = { ...missed, measured: '1.10 ×', met: true };
  const own = { ...sample(), scenario: 'acceptance' };
  expect(missedTargets(sample())).toEqual([]);
  expect(missedTargets({ ...own, target: missed } as never)).toEqual([missed]);
  expect(missedTargets({ ...own, targets: [met, missed, met] } as never)).toEqual([missed]);
});
