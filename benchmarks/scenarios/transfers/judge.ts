import { fewestRequests, judgeAnswers, judgeCpu } from '../../measure/judge-phase.ts';
import { type TransferForm, type TransferShape, transferForms, transferShapes } from '../../pgbench/transfers.ts';
import type { Measurement } from '../../schema/turn.ts';
import { pairedRatio } from '../../statistics/paired-ratio.ts';
import { summarize } from '../../statistics/summary.ts';
import { type PgbenchTurn, type Strategy, type StrategyTurn, strategies, type TransfersDocument } from './document.ts';

type StrategyRounds = TransfersDocument['strategies'][number]['rounds'];

/** What was measured, in the order of the rounds. */
export interface Rounds {
  strategies: ReadonlyMap<Strategy, StrategyRounds>;
  pgbench: TransfersDocument['pgbench']['rounds'];
}

/** Rounds of an arm may lie this far apart, relative to their median. */
const spreadLimit = 0.6;

export function roundsOf(measurements: readonly Measurement[]): Rounds {
  const of = <Data>(name: string) =>
    measurements
      .filter(({ arm, data }) => arm === name && data !== null)
      .map(({ round, position, data }) => ({ round, position, ...(data as Data) }));
  return {
    strategies: new Map(strategies.map((name) => [name, of<StrategyTurn>(name)])),
    pgbench: of<PgbenchTurn>('pgbench'),
  };
}

/** Rates by round. */
export function strategyRates(rounds: StrategyRounds, shape: TransferShape): Map<number, number> {
  return new Map(rounds.map(({ round, phases }) => [round, phases.find((phase) => phase.shape === shape)!.rate]));
}

/** Rates by round; pgbench's own transaction has one rate for all shapes. */
export function pgbenchRates(rounds: Rounds['pgbench'], form: TransferForm, shape: TransferShape): Map<number, number> {
  return new Map(
    rounds.map(({ round, runs }) => {
      const run = runs.find((one) => one.form === form && (one.shape === null || one.shape === shape))!;
      return [round, run.rate];
    }),
  );
}

export function ratiosOf({ strategies: measured, pgbench }: Rounds): TransfersDocument['ratios'] {
  return [...measured].flatMap(([strategy, rounds]) =>
    transferShapes.flatMap((shape) =>
      transferForms.map((against) => ({
        strategy,
        shape,
        against,
        ...pairedRatio(strategyRates(rounds, shape), pgbenchRates(pgbench, against, shape)),
      })),
    ),
  );
}

/** What the strategies are meant to reach of pgbench's better form of the same transaction. */
const wanted: readonly { strategy: Strategy; least: number }[] = [
  { strategy: 'batched', least: 1.2 },
  { strategy: 'row_lock', least: 0.8 },
];

export function targetsOf(ratios: TransfersDocument['ratios']): TransfersDocument['targets'] {
  return wanted.flatMap(({ strategy, least }) =>
    transferShapes.map((shape) => {
      const of = ratios.filter((one) => one.strategy === strategy && one.shape === shape && one.against !== 'tpcb');
      const ratio = Math.min(...of.map((one) => one.ratio));
      return {
        what: `${strategy}, ${shape}, over pgbench with the same transaction in its better form`,
        target: `≥ ${least.toFixed(2)} ×`,
        measured: `${ratio.toFixed(2)} ×`,
        met: ratio >= least,
      };
    }),
  );
}

/** Why a run must not count; empty when it may. */
export function judgeTransfers(measured: Rounds, audits: TransfersDocument['audits']): string[] {
  const reasons: string[] = [];
  for (const [name, rounds] of measured.strategies) {
    for (const shape of transferShapes) {
      const { spread } = summarize([...strategyRates(rounds, shape).values()]);
      if (spread > spreadLimit)
        reasons.push(`${name}, ${shape}: rounds ${Math.round(spread * 100)} % of their median apart`);
    }
    for (const { round, phases } of rounds) {
      for (const { shape, load } of phases) {
        const where = `${name}, round ${round}, ${shape}`;
        reasons.push(...judgeAnswers(where, load), ...judgeCpu(where, load));
        if (load.sent < fewestRequests) {
          reasons.push(`${where}: ${load.sent} requests are too few: ${fewestRequests} at least`);
        }
      }
    }
  }
  for (const { strategy, broken, transfers } of audits) {
    reasons.push(...broken.map((text) => `audit of ${strategy}: ${text}`));
    if (transfers === 0) reasons.push(`audit of ${strategy}: no transfer was looked at`);
  }
  return reasons;
}
