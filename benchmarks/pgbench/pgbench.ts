import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { MissingPartError } from '../../runtime/native/missing-part.ts';

const run = promisify(execFile);
const scripts = import.meta.dirname;

/** How pgbench sends the one-webhook transaction: a round trip a statement, or all of it in one statement. */
export const pgbenchForms = ['statements', 'single'] as const;
export type PgbenchForm = (typeof pgbenchForms)[number];

/** pgbench's numbers of clients that are tried; on two cores more of them only queue. */
export const pgbenchClients = [8, 16, 32, 64] as const;

export interface PgbenchResult {
  form: PgbenchForm;
  clients: number;
  /** Transactions a second, connection times left out. */
  rate: number;
  latencyMs: number;
}

/** Orders that the update and chargeback scripts draw from: enough that two clients seldom meet on one row. */
const orders = 20_000;

/** @throws MissingPartError with the way to install it. */
export async function pgbenchVersion(): Promise<string> {
  const remedy = 'apt install postgresql-contrib (Debian), brew install libpq (macOS)';
  const { stdout } = await run('pgbench', ['--version']).catch(() => {
    throw new MissingPartError('pgbench', remedy);
  });
  return stdout.trim().replace(/^pgbench \(PostgreSQL\) /, '');
}

/** Makes the orders that the scripts refer to. */
export async function preparePgbench(dsn: string): Promise<void> {
  await execPgbench(dsn, [
    '-n',
    '-t',
    '1',
    '-c',
    '1',
    '-D',
    `orders=${orders}`,
    '-f',
    path.join(scripts, 'prepare.sql'),
  ]);
}

/**
 * Runs the mix of the `ingest` scenario, one webhook a transaction, with prepared statements: 70 % order updates, 20 %
 * new orders, 10 % chargebacks. Closed model, as pgbench is.
 */
export async function runPgbench(
  dsn: string,
  options: { form: PgbenchForm; clients: number; seconds: number; seed: number },
): Promise<PgbenchResult> {
  const { form, clients } = options;
  const weighted = (name: string, weight: number) => ['-f', `${path.join(scripts, `${form}_${name}.sql`)}@${weight}`];
  const result = await runClosedModel(dsn, options, [
    '-D',
    `orders=${orders}`,
    ...weighted('update_order', 70),
    ...weighted('new_order', 20),
    ...weighted('chargeback', 10),
  ]);
  return { form, clients, ...result };
}

/** For so many seconds, with prepared statements; each client begins its next transaction when the last one has ended. */
export async function runClosedModel(
  dsn: string,
  { clients, seconds, seed }: { clients: number; seconds: number; seed: number },
  options: readonly string[],
): Promise<Pick<PgbenchResult, 'rate' | 'latencyMs'>> {
  const model = ['-n', '-M', 'prepared', '-c', String(clients), '-j', '2', '-T', String(seconds)];
  return readPgbench(await execPgbench(dsn, [...model, `--random-seed=${seed}`, ...options]));
}

/** Reads pgbench's summary. @throws Error when a transaction failed or there is no rate in it. */
export function readPgbench(output: string): { rate: number; latencyMs: number } {
  const rate = /^tps = ([\d.]+) \(without initial connection time\)/m.exec(output)?.[1];
  const latency = /^latency average = ([\d.]+) ms/m.exec(output)?.[1];
  const failed = /^number of failed transactions: (\d+)/m.exec(output)?.[1] ?? '0';
  if (rate === undefined || latency === undefined) throw new Error(`pgbench reported no rate:\n${output}`);
  if (failed !== '0') throw new Error(`pgbench: ${failed} transactions failed`);
  return { rate: Number(rate), latencyMs: Number(latency) };
}

/** Runs pgbench on a database. @returns what it printed. @throws Error with its first complaint. */
export async function execPgbench(dsn: string, options: readonly string[]): Promise<string> {
  const url = new URL(dsn);
  // Nothing of the caller's environment: a stray PGOPTIONS must not change what is measured.
  const directory = await mkdtemp(path.join(os.tmpdir(), 'lab-pgbench-'));
  try {
    const { stdout } = await run('pgbench', [...options], {
      cwd: directory,
      maxBuffer: 16 * 2 ** 20,
      env: {
        PATH: '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin:/opt/homebrew/opt/libpq/bin',
        PGHOST: url.hostname,
        PGPORT: url.port,
        PGUSER: decodeURIComponent(url.username),
        PGPASSWORD: decodeURIComponent(url.password),
        PGDATABASE: url.pathname.slice(1),
      },
    });
    return stdout;
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    const reason = stderr.split('\n').find((line) => /ERROR|FATAL|fatal|could not/.test(line)) ?? message;
    throw new Error(`pgbench failed: ${reason.trim()}`);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
