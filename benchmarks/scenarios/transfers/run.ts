import { randomBytes } from 'node:crypto';
import { auditRun } from '../../../audit/audit.ts';
import { withClient } from '../../../kernel/postgres/with-client.ts';
import { type RunningSystem, startSystem } from '../../../runtime/native/system.ts';
import { migrate } from '../../../sql/migrate.ts';
import { describeEnvironment } from '../../measure/environment.ts';
import { vacuum } from '../../measure/vacuum.ts';
import { pgbenchVersion } from '../../pgbench/pgbench.ts';
import {
  preparePgbenchTransfers,
  runPgbenchTransfers,
  transferAccounts,
  transferShapes,
} from '../../pgbench/transfers.ts';
import type { Note, Place, ReadyArm } from '../../runner/part.ts';
import { type BenchRun, createRun } from '../../runner/run.ts';
import { runId } from '../../runner/run-id.ts';
import type { Environment } from '../../schema/environment.ts';
import type { Measurement, TurnKind } from '../../schema/turn.ts';
import { withDatabase } from '../database-url.ts';
import type { BenchOptions } from '../scenario.ts';
import {
  type PgbenchTurn,
  type Strategy,
  type StrategyTurn,
  strategies,
  type TransfersDocument,
  transfersTurnData,
} from './document.ts';
import { judgeTransfers, ratiosOf, roundsOf, targetsOf } from './judge.ts';
import { clients, type LedgerUnderLoad, openLedgerUnderLoad } from './system-under-load.ts';

const loadMs = 5_000;
const warmUpMs = 4_000;
const database = 'pgbench';

export const transfersTurn: TurnKind<StrategyTurn | PgbenchTurn> = {
  name: 'transfers',
  data: transfersTurnData,
  metrics: () => ({}),
};

/**
 * Transfers by 64 clients in each strategy, over HTTP, and by pgbench with the same double-entry transaction and with its
 * own, in interleaved rounds on one machine. Each strategy has a system of its own, and pgbench a database of its own
 * on the server of the first one. The ledgers are audited after the last round.
 * @throws MissingPartError when pgbench is not installed.
 */
export async function createTransfersRun(options: BenchOptions): Promise<BenchRun<TransfersDocument>> {
  const run = new Transfers(options, await pgbenchVersion());
  return createRun({
    startTitle: `start ${strategies.join(', ')}`,
    start: (note, onStop) => run.start(note, onStop),
    parts: [
      {
        name: transfersTurn.name,
        kind: transfersTurn.name,
        rounds: options.rounds,
        open: () => run.open(),
        audit: (note) => run.audit(note),
        close: async () => {},
      },
    ],
    describe: async (measurements) => run.describe(measurements),
    signal: options.signal,
  });
}

class Transfers {
  readonly #options: BenchOptions;
  readonly #version: string;
  readonly #startedAt = new Date();
  readonly #systems = new Map<Strategy, RunningSystem>();
  readonly #loads = new Map<Strategy, LedgerUnderLoad>();
  readonly #audits: TransfersDocument['audits'] = [];
  #environment: Environment | undefined;
  #pgbenchDsn = '';
  #pgbenchRuns = 0;

  constructor(options: BenchOptions, version: string) {
    this.#options = options;
    this.#version = version;
  }

  /** Each system is warm before the next one starts. */
  async start(note: Note, onStop: (stop: () => Promise<void>) => void): Promise<void> {
    const { topology, seed, scale, signal } = this.#options;
    this.#environment = await describeEnvironment();
    for (const strategy of strategies) {
      const system = await startSystem({
        topology,
        cdc: 'off',
        signal,
        progress: (line) => note(`${strategy}: ${line}`),
        apiEnvironment: { LOG_LEVEL: 'warn', LEDGER_STRATEGY: strategy, RATE_LIMIT_PER_MINUTE: '100000000' },
      });
      this.#systems.set(strategy, system);
      onStop(() => system.stop());
      const load = await openLedgerUnderLoad({ system, seed, run: `t${randomBytes(3).toString('hex')}`, signal });
      this.#loads.set(strategy, load);
      onStop(() => load.close().catch(() => {}));
      note(`${strategy}: warming up`);
      await load.warmUp(warmUpMs * scale);
    }
    const { dsn } = this.#systems.get(strategies[0])!;
    await withClient(dsn.admin, (client) => client.query(`create database ${database}`));
    this.#pgbenchDsn = withDatabase(dsn.admin, database);
    await migrate({ dsn: this.#pgbenchDsn, topology });
    note('pgbench: making accounts');
    await preparePgbenchTransfers(this.#pgbenchDsn);
    // Plans that were made while the tables were empty would read all of them.
    await this.#runPgbench(Math.max(3, Math.ceil((warmUpMs * scale) / 1e3)));
    await vacuum([this.#pgbenchDsn]);
  }

  async open(): Promise<ReadyArm[]> {
    return [...strategies.map((name) => this.#strategyArm(name)), this.#pgbenchArm()];
  }

  #strategyArm(name: Strategy): ReadyArm {
    const load = this.#loads.get(name)!;
    return {
      name,
      turn: async (place, note) => {
        const startedAt = new Date();
        const data = await load.measure(loadMs * this.#options.scale);
        if (data.phases.some(({ rate }) => rate === 0))
          throw new Error(`round ${place.round}: ${name} made no transfer`);
        note(`${name}: ${data.phases.map(({ shape, rate }) => `${shape} ${Math.round(rate)}/s`).join(', ')}`);
        return measurementOf(name, place, startedAt, data);
      },
    };
  }

  #pgbenchArm(): ReadyArm {
    return {
      name: 'pgbench',
      turn: async (place, note) => {
        const startedAt = new Date();
        const seconds = Math.ceil((loadMs * this.#options.scale) / 1e3);
        const data = await this.#runPgbench(seconds);
        await vacuum([this.#pgbenchDsn]);
        note(
          `pgbench: ${data.runs.map(({ form, shape, rate }) => `${form} ${shape ?? ''} ${Math.round(rate)}/s`).join(', ')}`,
        );
        return measurementOf('pgbench', place, startedAt, data);
      },
    };
  }

  async #runPgbench(seconds: number): Promise<PgbenchTurn> {
    const runs: PgbenchTurn['runs'] = [];
    const kinds = [
      ...transferShapes.flatMap((shape) => (['statements', 'single'] as const).map((form) => ({ form, shape }))),
      { form: 'tpcb' as const, shape: null },
    ];
    for (const { form, shape } of kinds) {
      this.#options.signal.throwIfAborted();
      await withClient(this.#pgbenchDsn, (client) => client.query('checkpoint'));
      this.#pgbenchRuns += 1;
      // A seed used twice would draw the same keys again.
      const seed = this.#options.seed * 1_000 + this.#pgbenchRuns;
      const how = { form, shape: shape ?? 'uniform', clients, seconds, seed };
      runs.push({ form, shape, ...(await runPgbenchTransfers(this.#pgbenchDsn, how)) });
    }
    return { runs };
  }

  async audit(note: Note): Promise<void> {
    for (const strategy of strategies) {
      const load = this.#loads.get(strategy)!;
      const { invariants } = await auditRun({
        dsn: this.#systems.get(strategy)!.dsn.admin,
        topology: this.#options.topology,
      });
      const broken = invariants.filter(({ ok }) => !ok).map(({ id, violations }) => `${id} broken ${violations} times`);
      const stored = await load.stored();
      if (stored !== load.acknowledged) broken.push(`${load.acknowledged} acknowledged, ${stored} in the ledger`);
      this.#audits.push({ strategy, ok: broken.length === 0, transfers: load.acknowledged, broken });
      note(`${strategy}: ${broken.length === 0 ? 'clean' : 'BROKEN'}, ${load.acknowledged} transfers`);
    }
  }

  describe(measurements: readonly Measurement[]): TransfersDocument {
    const { command, topology, seed } = this.#options;
    const rounds = roundsOf(measurements);
    const ratios = ratiosOf(rounds);
    const ofTurns = measurements.flatMap(({ arm, round, reasons: own }) => {
      return own.map((reason) => `${arm}, round ${round}: ${reason}`);
    });
    const reasons = [...ofTurns, ...judgeTransfers(rounds, this.#audits)];
    return {
      schemaVersion: 1,
      id: runId(this.#startedAt, 'transfers'),
      scenario: 'transfers',
      command,
      startedAt: this.#startedAt.toISOString(),
      finishedAt: new Date().toISOString(),
      seed,
      topology,
      environment: this.#environment!,
      clients,
      accounts: transferAccounts,
      strategies: strategies.map((name) => ({ name, rounds: rounds.strategies.get(name)! })),
      pgbench: { version: this.#version, rounds: rounds.pgbench },
      ratios,
      audits: this.#audits,
      targets: targetsOf(ratios),
      reasons,
      verdict: reasons.length === 0 ? 'VALID' : 'DISCARDED',
    };
  }
}

function measurementOf(arm: string, place: Place, startedAt: Date, data: StrategyTurn | PgbenchTurn): Measurement {
  return {
    scenario: transfersTurn.name,
    arm,
    ...place,
    startedAt: startedAt.toISOString(),
    durationS: (Date.now() - startedAt.getTime()) / 1e3,
    verdict: 'VALID',
    reasons: [],
    data,
  };
}
