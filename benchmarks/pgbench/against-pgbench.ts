import { withClient } from '../../kernel/postgres/with-client.ts';
import { migrate } from '../../sql/migrate.ts';
import { createComparison, type ToolArm } from '../compare/comparison.ts';
import type { Conclusion } from '../compare/conclusion.ts';
import { vacuum } from '../measure/vacuum.ts';
import type { Note, Place, ReadyArm } from '../runner/part.ts';
import type { BenchRun } from '../runner/run.ts';
import { withDatabase } from '../scenarios/database-url.ts';
import { ingest } from '../scenarios/ingest/ingest.ts';
import { ingestRate, saturationRate } from '../scenarios/ingest/metrics.ts';
import { closedConnections } from '../scenarios/ingest/rounds.ts';
import type { Arm, BenchOptions } from '../scenarios/scenario.ts';
import type { ArmResult, Comparison, RunDocument } from '../schema/run.ts';
import type { Measurement } from '../schema/turn.ts';
import type { PgbenchData } from './data.ts';
import {
  type PgbenchResult,
  pgbenchClients,
  pgbenchForms,
  pgbenchVersion,
  preparePgbench,
  runPgbench,
} from './pgbench.ts';
import { pgbenchTurn } from './turn.ts';

const { name } = pgbenchTurn;
const sweepSeconds = 3;
const runSeconds = 5;

/**
 * The lab's `ingest` against pgbench with the same one-webhook transaction: same server, same tables, rows and
 * indexes, in a database of its own, since pgbench's rows would break the audit. Turns alternate (A B, B A, …). pgbench
 * runs with the client counts at which each of its two forms was fastest in a sweep before, and its better form counts.
 * @throws MissingPartError when pgbench is not installed.
 */
export async function createAgainstPgbench(options: BenchOptions): Promise<BenchRun<RunDocument>> {
  const { topology, ...rest } = options;
  const tool = new PgbenchArm(options, await pgbenchVersion());
  return createComparison({ ...rest, topologies: [topology], control: topology, scenarios: [ingest], tool });
}

class PgbenchArm implements ToolArm {
  readonly name = name;
  readonly prepareTitle = 'find the clients that suit pgbench';
  readonly #options: BenchOptions;
  readonly #version: string;
  readonly #best: PgbenchResult[] = [];
  #dsn = '';
  #runs = 0;

  constructor(options: BenchOptions, version: string) {
    this.#options = options;
    this.#version = version;
  }

  async prepare({ system, topology }: Arm, note: Note): Promise<ReadyArm> {
    await withClient(system.dsn.admin, (client) => client.query(`create database ${name}`));
    this.#dsn = withDatabase(system.dsn.admin, name);
    await migrate({ dsn: this.#dsn, topology });
    await preparePgbench(this.#dsn);
    for (const form of pgbenchForms) {
      let best: PgbenchResult | undefined;
      for (const clients of pgbenchClients) {
        this.#options.signal.throwIfAborted();
        const result = await runPgbench(this.#dsn, { form, clients, seconds: sweepSeconds, seed: this.#nextSeed() });
        note(`${form}, ${clients} clients: ${Math.round(result.rate)}/s`);
        if (result.rate > (best?.rate ?? 0)) best = result;
      }
      this.#best.push(best!);
    }
    return { name, turn: (place, noteTurn) => this.#turn(place, noteTurn) };
  }

  description(): string {
    const best = this.#best.map(({ form, clients }) => `${form} with ${clients} clients`).join(', ');
    return `pgbench ${this.#version}, prepared, one webhook a transaction on the same server: ${best}`;
  }

  conclude(arms: readonly ArmResult[], comparisons: readonly Comparison[]): Conclusion {
    const open = comparisons.find(({ metric }) => metric === ingestRate);
    const closed = comparisons.find(({ metric }) => metric === saturationRate);
    if (!open || !closed) return { conclusion: 'Nothing could be compared.', findings: [] };
    const rates = arms.map((arm) => `${arm.name} ${Math.round(arm.summary[ingestRate]?.median ?? 0)}/s`);
    return {
      conclusion: `ingest on ${this.#options.topology}, signed webhooks over HTTP at p99 ≤ 100 ms, takes ${describeRatio(open)} of pgbench’s best rate with the same transaction.`,
      findings: [
        `Medians: ${rates.join(', ')}.`,
        `As fast as ${closedConnections} connections can go (closed loop, like pgbench), ingest takes ${describeRatio(closed)} of pgbench’s best rate.`,
      ],
    };
  }

  /** A seed used twice would draw the same event ids again, and every webhook would be a duplicate. */
  #nextSeed(): number {
    this.#runs += 1;
    return this.#options.seed * 1_000 + this.#runs;
  }

  async #turn(place: Place, note: Note): Promise<Measurement<PgbenchData>> {
    const startedAt = new Date();
    // As before every round of the lab's own: nothing of an earlier turn is left to be written back.
    await withClient(this.#dsn, (client) => client.query('checkpoint'));
    const runs: PgbenchResult[] = [];
    for (const { form, clients } of this.#best) {
      const seconds = Math.ceil(runSeconds * this.#options.scale);
      runs.push(await runPgbench(this.#dsn, { form, clients, seconds, seed: this.#nextSeed() }));
    }
    const durationS = (Date.now() - startedAt.getTime()) / 1e3;
    await vacuum([this.#dsn]);
    note(`pgbench: ${runs.map((result) => `${result.form} ${Math.round(result.rate)}/s`).join(', ')}`);
    const rate = Math.max(...runs.map((result) => result.rate));
    return {
      scenario: name,
      arm: name,
      ...place,
      startedAt: startedAt.toISOString(),
      durationS,
      verdict: 'VALID',
      reasons: [],
      data: { version: this.#version, rate, runs },
    };
  }
}

function describeRatio({ ratio, low, high }: Comparison): string {
  return `${ratio.toFixed(2)} × [${low.toFixed(2)}, ${high.toFixed(2)}]`;
}
