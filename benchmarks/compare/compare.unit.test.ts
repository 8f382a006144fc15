import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type SampleArm, sampleRun } from '../../test/benchmarks/sample-run.ts';
import { readPgbench } from '../pgbench/pgbench.ts';
import { checkResultsDirectory, listRunIds, loadRun, saveDocument } from '../results/store.ts';
import { orderOfRound } from '../runner/rounds.ts';
import { checkpointStorms } from '../scenarios/ingest/checkpoint-storms.ts';
import { ingestFindings } from '../scenarios/ingest/findings.ts';
import { ingestTurn } from '../scenarios/ingest/metrics.ts';
import { type Measurement, turnsOf } from '../schema/turn.ts';
import { compareToBaseline } from './baseline.ts';
import { metricsOf } from './metrics.ts';
import { judgeArm } from './verdict.ts';

const plain: SampleArm = { name: 'plain', rates: [1_000, 1_010, 990, 1_005, 995], fiveDaysMs: [90, 30] };
const partitioned = (changes: Partial<SampleArm> = {}): SampleArm => ({
  name: 'partitioned',
  rates: [900, 909, 891, 904.5, 895.5],
  fiveDaysMs: [30, 30],
  ...changes,
});
const firstThree = ({ rates, ...rest }: SampleArm): SampleArm => ({ ...rest, rates: rates.slice(0, 3) });

test('each round begins with another arm and no arm is left out', () => {
  expect(orderOfRound(['a', 'b', 'c'], 1)).toEqual(['a', 'b', 'c']);
  expect(orderOfRound(['a', 'b', 'c'], 2)).toEqual(['b', 'c', 'a']);
  expect(orderOfRound(['a', 'b', 'c'], 4)).toEqual(['a', 'b', 'c']);
  expect(orderOfRound([], 3)).toEqual([]);
});

test('ratios compare the same rounds, discarded ones left out', () => {
  const { comparisons } = sampleRun([plain, partitioned()]);
  const rate = comparisons.find(({ metric }) => metric === 'ingest.rate');
  expect(rate).toMatchObject({ arm: 'partitioned', control: 'plain' });
  expect(rate?.ratio).toBeCloseTo(0.9);
  expect(rate?.low).toBeCloseTo(0.9);
  expect(rate?.high).toBeCloseTo(0.9);
});

test('two rounds are too few for a ratio', () => {
  const document = sampleRun([plain, partitioned({ rates: [900, 909] })]);
  expect(document.comparisons).toEqual([]);
  expect(document.conclusion).toBe(
    'plain takes 1,000 webhooks a second at p99 ≤ 100 ms on this machine, held for 2.0 s and 2,000 requests a round.',
  );
});

test('the cost of a webhook leaves the generator out', () => {
  const { measurements } = sampleRun([plain]);
  expect(metricsOf(measurements[0]!)).toMatchObject({ 'ingest.rate': 1_000, 'ingest.diskBytes': 2_000 });
  expect(metricsOf(measurements[0]!)['ingest.cpuUs']).toBeCloseTo(150);
});

test('the conclusion says "not worth it" when partitions only help rows in random order', () => {
  const { conclusion, findings } = sampleRun([plain, partitioned()]);
  expect(conclusion).toBe(
    'Daily partitions cost 10 % of the ingest rate (0.90 × plain, 95 % interval 0.90–0.90) and make five-day ranges ' +
      'from a cold cache 3.0 × as fast (90 ms → 30 ms; 0.33 × the time, 95 % interval 0.33–0.33) for rows in random ' +
      'order, but not for rows in time order (1.00 × the time, 95 % interval 1.00–1.00): not worth it for speed alone.',
  );
  expect(findings.join(' ')).toMatch(/history of one dispute, .* takes 9\.0 × as long \(0\.10 ms → 0\.90 ms; 9\.00 ×/);
});

test('three rounds are told as a range, and nothing is claimed of them', () => {
  const { conclusion, findings } = sampleRun([firstThree(plain), firstThree(partitioned())]);
  expect(conclusion).toBe(
    'In 3 rounds, too few for a claim, daily partitions took 0.90 (0.90–0.90) × the webhooks of plain, and answered ' +
      'five-day ranges from a cold cache in 0.33 (0.33–0.33) × the time for rows in random order, 1.00 (1.00–1.00) × ' +
      'for rows in time order.',
  );
  expect(findings.join(' ')).not.toMatch(/as fast|as long|fewer|more webhooks|not worth|distinguished|cost \d/);
});

test('the conclusion says "not worth it" when partitions help nothing', () => {
  const { conclusion } = sampleRun([
    plain,
    partitioned({ fiveDaysMs: [88, 31], rates: [1_000, 1_010, 990, 1_005, 995] }),
  ]);
  expect(conclusion).toMatch(
    /^Daily partitions have a price in ingest that this run does not tell .* not worth it for speed\.$/,
  );
});

test('the conclusion recommends partitions when they help the rows as they are', () => {
  const { conclusion } = sampleRun([plain, partitioned({ fiveDaysMs: [30, 15] })]);
  expect(conclusion).toMatch(
    /make five-day ranges from a cold cache 2\.0 × as fast \(30 ms → 15 ms; .*: worth a trial/,
  );
});

test('a gain that only a cold cache sees is not told of rows in memory', () => {
  const { findings } = sampleRun([plain, partitioned({ fiveDaysMs: [30, 15], fiveDaysWarmMs: 26 })]);
  expect(findings.join(' ')).toContain(
    'once its rows are in memory, that range in time order takes 1.3 × as long (20 ms →',
  );
});

test('more webhooks than the control takes are no price, however wide the interval is', () => {
  const { conclusion } = sampleRun([plain, partitioned({ rates: [1_300, 1_500, 1_700, 1_400, 1_600] })]);
  expect(conclusion).toMatch(/^Daily partitions cost no ingest rate \(1\.49 × plain, 95 % interval 1\.30–1\.71\)/);
});

/** Rates of five rounds whose logarithms scatter by `spread` around a ratio to plain. */
const around = (ratio: number, spread: number) =>
  plain.rates.map((rate, round) => rate * ratio * Math.exp(spread * [-1, 0.5, 0, 1, -0.5][round]!));

test.each([
  ['far below', 0.7, 0.02, /^takes 30 % fewer webhooks a second \(0\.70 × plain, 95 % interval 0\.6\d–0\.7\d\)/],
  ['just below', 0.97, 0.01, /^takes 3 % fewer webhooks/],
  [
    'below, of a wide interval that holds 1',
    0.9,
    0.3,
    /^is not distinguished from plain in webhooks a second \(0\.90 × plain/,
  ],
  ['equal, of a narrow interval', 1, 0.005, /^is not distinguished from plain/],
  ['equal, of a wide interval', 1, 0.3, /^is not distinguished from plain/],
  ['above, of a wide interval that holds 1', 1.1, 0.3, /^is not distinguished from plain/],
  ['just above', 1.03, 0.01, /^takes 3 % more webhooks/],
  ['far above', 2, 0.1, /^takes 100 % more webhooks a second \(2\.00 × plain, 95 % interval 1\.\d\d–2\.\d\d\)/],
])('words follow the interval: %s', (_shape, ratio, spread, words) => {
  const { findings } = sampleRun([plain, partitioned({ rates: around(ratio, spread) })]);
  const sentence = findings.find((finding) => finding.startsWith('partitioned '))!;
  expect(sentence.replace('partitioned ', '')).toMatch(words);
});

test('a rate that was kept above one that was missed is said', () => {
  const { measurements, arms, comparisons } = sampleRun([plain]);
  const attempt = { rate: 1_000, p99Ms: 60 };
  turnsOf(ingestTurn, measurements)[1]!.data!.attempts = [
    { ...attempt, offeredRate: 1_100, kept: false },
    { ...attempt, offeredRate: 1_010, kept: true },
    { ...attempt, offeredRate: 1_250, kept: true },
  ];
  expect(ingestFindings({ arms, comparisons, control: 'plain', measurements }).slice(1)).toEqual([
    'Not monotonic: plain kept 1,250 a second in round 2 and missed 1,100; its rate there is a matter of chance.',
  ]);
});

test('the conclusion of a run that does not count says so', () => {
  const document = sampleRun([plain, partitioned({ reasons: ['audit: I2 broken'] })]);
  expect(document.verdict).toBe('DISCARDED');
  expect(document.conclusion).toMatch(/^Discarded, not to be quoted: audit: I2 broken\. Next: look at what the audit/);
});

function withCheckpoints(requested: Record<string, number>): Measurement[] {
  const { measurements } = sampleRun([plain, partitioned()]);
  return turnsOf(ingestTurn, measurements).filter((measurement) => {
    if (measurement.round !== 1) return false;
    measurement.data!.checkpoints.requested = requested[measurement.arm]!;
    return true;
  });
}

test('a checkpoint storm discards the round of the only arm that met it', () => {
  expect([...checkpointStorms(withCheckpoints({ plain: 0, partitioned: 3 })).keys()]).toEqual([1]);
  expect(checkpointStorms(withCheckpoints({ plain: 1, partitioned: 3 })).size).toBe(0);
  expect(checkpointStorms(withCheckpoints({ plain: 0, partitioned: 1 })).size).toBe(0);
});

test('an arm counts with enough valid rounds, close together, and a clean audit', () => {
  const { measurements } = sampleRun([plain]);
  const lookedUp = {
    id: 'I2' as const,
    title: 'stored',
    checked: 9,
    violations: 0,
    examples: [],
    ok: true,
    note: null,
  };
  const audit = { ok: true, invariants: [lookedUp] };
  const rate = { median: 100, min: 95, max: 105, spread: 0.1 };
  const good = { measurements, audit, audited: true, summary: { 'ingest.rate': rate }, rounds: 3 };
  expect(judgeArm(good)).toEqual([]);
  expect(judgeArm({ ...good, rounds: 6 })).toEqual(['ingest: 5 valid rounds of 6', 'timeline: 5 valid rounds of 6']);
  expect(judgeArm({ ...good, summary: { 'ingest.rate': { ...rate, spread: 0.9 } } })).toEqual([
    'ingest: rounds 90 % of their median apart',
  ]);
  expect(judgeArm({ ...good, measurements: [] })).toEqual(['nothing was measured']);
  const invariant = { id: 'I3' as const, title: 'one effect', checked: 9, examples: [], note: null };
  const broken = { ok: false, invariants: [lookedUp, { ...invariant, violations: 2, ok: false }] };
  expect(judgeArm({ ...good, audit: broken })).toEqual(['audit: I3 broken 2 times (one effect)']);
  const empty = { ok: true, invariants: [{ ...invariant, id: 'I2' as const, checked: 0, violations: 0, ok: true }] };
  expect(judgeArm({ ...good, audit: empty })).toEqual(['audit: no acknowledged webhook was looked up']);
  expect(judgeArm({ ...good, acknowledged: 9 })).toEqual([]);
  expect(judgeArm({ ...good, acknowledged: 9_000 })).toEqual([
    'audit: 9 acknowledged webhooks were looked up, and the client counted 9000',
  ]);
  expect(judgeArm({ ...good, audit: null })).toEqual(['audit: there was none']);
  expect(judgeArm({ ...good, audit: null, audited: false })).toEqual([]);
  expect(judgeArm({ ...good, audit: null, auditFailure: 'audit: it came to no end: gone' })).toEqual([
    'audit: it came to no end: gone',
  ]);
});

test('a baseline finds what became worse, by ratio and not by absolute number', () => {
  const before = sampleRun([plain, partitioned()]);
  const slowMachine = { rates: [500, 505, 495] };
  const same = sampleRun([{ ...plain, ...slowMachine }, partitioned({ rates: [450, 454.5, 445.5] })]);
  expect(compareToBaseline(same.comparisons, before).regressions).toEqual([]);
  const worse = sampleRun([plain, partitioned({ rates: [700, 707, 693] })]);
  expect(compareToBaseline(worse.comparisons, before).regressions).toEqual([
    'partitioned, webhooks/s at p99 ≤ 100 ms: 0.90 → 0.70 × plain',
  ]);
});

test('results are stored under their id and found by its beginning', async () => {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'lab-results-'));
  try {
    await expect(loadRun(directory)).rejects.toThrow(/There is no run in/);
    await expect(checkResultsDirectory('/dev/null/results')).rejects.toThrow(/could not be stored: ENOTDIR/);
    const first = sampleRun([plain]);
    const second = { ...first, id: '20260201T120000Z-ingest-cafe' };
    await saveDocument(directory, first);
    const file = await saveDocument(directory, second);
    await writeFile(path.join(directory, 'notes.json'), '{}');
    expect(await listRunIds(directory)).toEqual([first.id, second.id]);
    expect((await loadRun(directory)).id).toBe(second.id);
    expect((await loadRun(directory, '20260131')).id).toBe(first.id);
    expect(await loadRun(directory, file)).toEqual(JSON.parse(await readFile(file, 'utf8')));
    await expect(loadRun(directory, '2026')).rejects.toThrow(/several/);
    await expect(loadRun(directory, '2031')).rejects.toThrow(/no run 2031/);
    await expect(saveDocument(directory, { ...first, rounds: 'three' as never })).rejects.toThrow(/rounds/);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

test('reads pgbench’s summary and refuses one with failures', () => {
  const text = `transaction type: multiple scripts
number of failed transactions: 0 (0.000%)
latency average = 3.217 ms
initial connection time = 12.5 ms
tps = 4973.250000 (without initial connection time)
SQL script 1: update.sql
 - tps = 3481.2
`;
  expect(readPgbench(text)).toEqual({ rate: 4973.25, latencyMs: 3.217 });
  expect(() => readPgbench(text.replace('transactions: 0', 'transactions: 7'))).toThrow(/7 transactions failed/);
  expect(() => readPgbench('nothing')).toThrow(/no rate/);
});
