import { expect, test } from 'vitest';
import { html } from '../../kernel/html.ts';
import { sampleFreshness, sampleRun } from '../../test/benchmarks/sample-run.ts';
import { addFreshness } from '../compare/with-freshness.ts';
import { bytes, milliseconds, number } from './numbers.ts';
import { renderReport } from './render.ts';

const document = sampleRun([
  { name: 'plain', rates: [1_000, 1_010, 990], fiveDaysMs: [90, 30] },
  { name: 'partitioned', rates: [900, 909, 891], fiveDaysMs: [30, 30], reasons: ['ingest: <b>odd</b>'] },
  { name: 'replicated', rates: [800, 808, 792], fiveDaysMs: [30, 30] },
]);

test('the report holds its conclusion, every section and a chart for each picture', async () => {
  const text = await renderReport([document]);
  expect(text).toContain('<h1>Discarded, not to be quoted: ingest: &#60;b&#62;odd&#60;/b&#62;. Next: run it again.');
  const headings = [...text.matchAll(/<h2>([^<]+)<\/h2>/g)].map((match) => match[1]);
  for (const heading of ['Comparison', 'Throughput and latency', 'Cost of a webhook', 'Replica lag over time']) {
    expect(headings).toContain(heading);
  }
  for (const heading of ['Time-range queries', 'Audit', 'Discarded and absent', 'Environment', 'Method and limits']) {
    expect(headings).toContain(heading);
  }
  expect(text.match(/<svg role="img" aria-label="[^"]+"/g)).toHaveLength(6);
  expect(text).toContain('citus is not here: not installed');
});

test('a control that was held against itself stands in the table', async () => {
  const [ratio] = document.comparisons.filter(({ metric, arm }) => metric === 'ingest.rate' && arm === 'partitioned');
  const itself = { ...ratio!, arm: 'plain again', ratio: 1.01, low: 0.97, high: 1.04 };
  const sameArm = { arm: 'plain again', comparisons: [itself], earlierRuns: 0, earlier: {} };
  const text = await renderReport([{ ...document, sameArm }]);
  expect(text).toContain('plain against itself 1.01 × [0.97, 1.04]');
});

test('engines that were all left out are named with their reason', async () => {
  const absent = [{ engine: 'native', reason: '290 s had passed already' }];
  const text = await renderReport([addFreshness(document, { ...sampleFreshness(document), engines: [], absent })]);
  expect(text).toContain('freshness by native is not here: 290 s had passed already');
});

test('the CDC engines stand side by side, with the lag over time and what could not be measured', async () => {
  const freshness = { ...sampleFreshness(document), absent: [{ engine: 'debezium', reason: 'no <Java>' }] };
  const text = await renderReport([addFreshness(document, freshness)]);
  expect(text).toContain('<h2>Freshness of the analytics (partitioned)</h2>');
  expect(text).toContain('aria-label="Lag of the analytics over time"');
  expect(text).toContain('Not measured: debezium, because no &#60;Java&#62;');
  expect(text).toContain(
    'By Debezium and Kafka an accepted webhook is visible in ClickHouse after 200 ms (p99 1400 ms)',
  );
});

test('the report loads nothing and runs nothing', async () => {
  const text = await renderReport([document]);
  const urls = [...text.matchAll(/https?:\/\/[^"'\s<)]+/g)].map((match) => match[0]);
  // Names of XML vocabularies, which no browser fetches.
  expect([...new Set(urls)].filter((url) => !url.startsWith('http://www.w3.org/'))).toEqual([]);
  expect(text).not.toMatch(/<script|<link|<img|@import|url\((?!#)/);
});

test('text from the run is escaped', async () => {
  const text = await renderReport([document]);
  expect(text).not.toContain('<b>odd</b>');
  expect(text).toContain('&#60;b&#62;odd&#60;/b&#62;');
  expect(text).toContain('Invented &#60;CPU&#62; &#38; Sons');
  expect(text).toContain('dispute_events &#60;e&#62;');
});

test('a run of one scenario, without data or without audit still has a report', async () => {
  const [plain] = document.arms;
  const empty = { ...document, arms: [{ ...plain!, summary: {}, audit: null, topStatements: [] }] };
  const text = await renderReport([{ ...empty, measurements: [], comparisons: [] }]);
  expect(text).toContain('This run was not audited.');
  expect(text).not.toContain('Throughput and latency');
});

test('several runs stand one below the other', async () => {
  const text = await renderReport([document, document]);
  expect(text.match(/<article>/g)).toHaveLength(2);
});

test('html escapes values and joins lists', () => {
  expect(html`<p title="${'"'}">${[html`<b>${'<'}</b>`, html`x`]}${undefined}${false}${0}</p>`.text).toBe(
    '<p title="&#34;"><b>&#60;</b>x0</p>',
  );
});

test('numbers are written for readers', () => {
  expect(number(12_345.6)).toBe('12,346');
  expect(number(undefined)).toBe('–');
  expect(milliseconds(0.1234)).toBe('0.12 ms');
  expect(milliseconds(12.4)).toBe('12 ms');
  expect(bytes(0)).toBe('0 B');
  expect(bytes(2_400_000)).toBe('2.4 MB');
});
