import { expect, test } from 'vitest';
import { samplePhase } from '../../../test/benchmarks/sample-run.ts';
import type { Measurement } from '../../schema/turn.ts';
import { type PgbenchTurn, type StrategyTurn, strategies, type TransfersDocument } from './document.ts';
import { judgeTransfers, ratiosOf, roundsOf, targetsOf } from './judge.ts';
import { createTransferSource } from './source.ts';

interface Changes {
  errors?: number;
  batched?: number;
}

/** Three rounds; pgbench's single statement makes 1,000 a second, row locks 900 and batches 1,300. */
function measured({ errors = 0, batched = 1_300 }: Changes = {}): Measurement[] {
  const turn = (arm: string, round: number, data: StrategyTurn | PgbenchTurn): Measurement => ({
    scenario: 'transfers',
    arm,
    round,
    position: 1,
    startedAt: '2026-11-29T00:00:00.000Z',
    durationS: 1,
    verdict: 'VALID',
    reasons: [],
    data,
  });
  return [1, 2, 3].flatMap((round) => [
    ...strategies.map((name) => {
      const rate = name === 'batched' ? batched : 900;
      const load = { ...samplePhase(rate), rate, sent: 10_000, acknowledged: 10_000 - errors, errors };
      const phases = (['uniform', 'zipf'] as const).map((shape) => ({ shape, rate, load, foldMs: 1 }));
      return turn(name, round, { phases });
    }),
    turn('pgbench', round, {
      runs: [
        ...(['uniform', 'zipf'] as const).flatMap((shape) => [
          { form: 'statements' as const, shape, clients: 64, rate: 500, latencyMs: 1 },
          { form: 'single' as const, shape, clients: 64, rate: 1_000, latencyMs: 1 },
        ]),
        { form: 'tpcb', shape: null, clients: 64, rate: 2_000, latencyMs: 1 },
      ],
    }),
  ]);
}

const clean: TransfersDocument['audits'] = strategies.map((strategy) => ({
  strategy,
  transfers: 60_000,
  ok: true,
  broken: [],
}));

test('rates are held against each form of pgbench; its own transaction counts for both shapes', () => {
  const ratios = ratiosOf(roundsOf(measured()));
  const of = (strategy: string, against: string) =>
    ratios.filter((one) => one.strategy === strategy && one.against === against).map(({ ratio }) => ratio);
  expect(of('batched', 'single')).toEqual([expect.closeTo(1.3), expect.closeTo(1.3)]);
  expect(of('batched', 'statements')).toEqual([expect.closeTo(2.6), expect.closeTo(2.6)]);
  expect(of('row_lock', 'tpcb')).toEqual([expect.closeTo(0.45), expect.closeTo(0.45)]);
});

test('a target is held against the better form of the same transaction', () => {
  const targets = (changes: Changes) => targetsOf(ratiosOf(roundsOf(measured(changes)))).map(({ met }) => met);
  expect(targets({})).toEqual([true, true, true, true]);
  expect(targets({ batched: 1_190 })).toEqual([false, false, true, true]);
});

test.each<[string, Changes, TransfersDocument['audits'], unknown[]]>([
  ['nothing speaks against it', {}, clean, []],
  ['one error in a thousand is tolerated', { errors: 10 }, clean, []],
  [
    'I1 is broken',
    {},
    [{ ...clean[0]!, ok: false, broken: ['I1 broken 2 times'] }],
    ['audit of row_lock: I1 broken 2 times'],
  ],
  ['no transfer was audited', {}, [{ ...clean[1]!, transfers: 0 }], ['audit of batched: no transfer was looked at']],
])('a run is judged: %s', (_what, changes, audits, reasons) => {
  expect(judgeTransfers(roundsOf(measured(changes)), audits)).toEqual(reasons);
});

test('errors discard a run', () => {
  const reasons = judgeTransfers(roundsOf(measured({ errors: 11 })), clean);
  expect(reasons).toContain('batched, round 3, zipf: 0.11 % errors');
});

test('requests follow from the seed, each under a key of its own; Zipf pays few accounts most', async () => {
  const take = async (seed: number, shape: 'uniform' | 'zipf') => {
    const source = createTransferSource({ seed, run: 't', shape });
    await source.prepare(1_000);
    const first = Array.from({ length: 600 }, () => source.next());
    await source.prepare(1_000);
    return [...first, ...Array.from({ length: 1_400 }, () => source.next())];
  };
  const requests = await take(1, 'zipf');
  expect(await take(1, 'zipf')).toEqual(requests);
  expect(new Set(requests.map(({ headers }) => headers.at(-1))).size).toBe(2_000);
  const toFirst = (all: typeof requests) => all.filter(({ body }) => body!.includes('"to_account_id":"m_1"')).length;
  expect(toFirst(requests)).toBeGreaterThan(150);
  expect(toFirst(await take(1, 'uniform'))).toBeLessThan(10);
});
