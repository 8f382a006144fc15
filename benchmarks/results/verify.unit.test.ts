import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { verificationText } from '../../lab/verify/command.ts';
import { sampleRun } from '../../test/benchmarks/sample-run.ts';
import type { IngestData } from '../scenarios/ingest/data.ts';
import { ingestTurn } from '../scenarios/ingest/metrics.ts';
import type { RunDocument } from '../schema/run.ts';
import { turnsOf } from '../schema/turn.ts';
import { seal } from './digest.ts';
import { loadDocument, saveDocument } from './store.ts';
import { verifyDocument } from './verify.ts';

const run = () =>
  sampleRun([
    { name: 'plain', rates: [1_000, 1_010, 990, 1_005, 995], fiveDaysMs: [90, 30] },
    { name: 'partitioned', rates: [900, 909, 891, 904.5, 895.5], fiveDaysMs: [30, 30] },
  ]);

/** As a file that was written and read again. */
const stored = () => JSON.parse(JSON.stringify(seal(run()))) as RunDocument;
const firstTurn = (document: RunDocument): IngestData => turnsOf(ingestTurn, document.measurements)[0]!.data!;

test('a result that was not changed is what its measurements say', () => {
  expect(verifyDocument(stored())).toEqual({ sealed: true, phases: 30, differences: [] });
});

test('the order of fields is no change', () => {
  const document = stored();
  const turned = Object.fromEntries(Object.entries(document).reverse()) as RunDocument;
  expect(verifyDocument(turned).sealed).toBe(true);
});

const changes: [string, (document: RunDocument) => void, RegExp | undefined][] = [
  ['a word of the conclusion', (document) => (document.conclusion = 'Partitions are free.'), undefined],
  ['a seed', (document) => (document.seed = 2), undefined],
  [
    'a median',
    (document) => (document.arms[1]!.summary['ingest.rate']!.median = 1_200),
    /^arms\.partitioned\.summary\.ingest\.rate\.median: stored 1200, derived 900/m,
  ],
  [
    'a ratio',
    (document) => (document.comparisons[0]!.ratio = 1.3),
    /^comparisons\.0\.ratio: stored 1\.3, derived 0\.9/m,
  ],
  ['a bound of an interval', (document) => (document.comparisons[0]!.high = 1.3), /^comparisons\.0\.high/m],
  [
    'a percentile',
    (document) => (firstTurn(document).half.latency.p99Ms = 1),
    /^measurements\.0\.data\.half\.latency\.p99Ms: stored 1, derived 49\.\d+$/m,
  ],
  [
    'a rate',
    (document) => (firstTurn(document).peak.rate = 2_000),
    /^measurements\.0\.data\.peak\.rate: stored 2000, derived 1000$/m,
  ],
  [
    'a histogram',
    (document) => (firstTurn(document).peak.histogram = 'HIST'),
    /peak\.histogram: .* derived no histogram$/m,
  ],
  [
    'errors that are gone',
    (document) => (firstTurn(document).half.acknowledged -= 400),
    /^measurements\.0\.data\.half\.sent: stored 1000, derived 600$/m,
  ],
  [
    'a turn that counts and must not',
    (document) => (firstTurn(document).restarts = 1),
    /^ingest, round 1 of plain: verdict: stored VALID, derived DISCARDED: the server was started again/m,
  ],
  [
    'a turn that was left out',
    (document) => document.measurements.splice(0, 1),
    /^arms\.plain\.summary\.ingest\.rate\.min|^comparisons\.0\.rounds: stored 5, derived 4$/m,
  ],
  [
    'a verdict',
    (document) => document.reasons.push('plain: audit: I2 broken 3 times'),
    /^verdict: stored "VALID", derived "DISCARDED"$/m,
  ],
  [
    'an audit',
    (document) => (document.arms[0]!.audit!.ok = false),
    /^arms\.plain\.verdict: stored "VALID", derived "DISCARDED"$/m,
  ],
];

test.each(changes)('a result that was changed by hand is named: %s', (_what, change, line) => {
  const document = stored();
  change(document);
  const verification = verifyDocument(document);
  expect(verification.sealed).toBe(false);
  const text = verificationText(document.id, verification);
  expect(text).toMatch(/its digest does not fit: it was changed after it was stored/);
  if (line) expect(text).toMatch(line);
  // Words are in the digest alone; a figure differs even under a digest that was made anew.
  if (line) expect(verifyDocument(seal(document)).differences.length).toBeGreaterThan(0);
});

test('a result of before there were digests is told from one that fits', () => {
  const { digest: _, ...document } = stored();
  const verification = verifyDocument(document);
  expect(verification).toMatchObject({ sealed: null, differences: [] });
  expect(verificationText(document.id, verification)).toMatch(/it has no digest/);
});

test('half a file and a foreign one are refused in a sentence', async () => {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'lab-verify-'));
  try {
    const file = await saveDocument(directory, run());
    expect(verifyDocument(await loadDocument(directory, file)).sealed).toBe(true);
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.slice(0, text.length / 2));
    await expect(loadDocument(directory, file)).rejects.toThrow(/is no result document: .*JSON/);
    await writeFile(file, '{"name":"something else"}');
    await expect(loadDocument(directory, file)).rejects.toThrow(/\.json: This is no result document of the lab:\n/);
    await expect(loadDocument(directory, path.join(directory, 'none.json'))).rejects.toThrow(
      /no result document: ENOENT/,
    );
  } finally {
    await rm(directory, { recursive: true });
  }
});
