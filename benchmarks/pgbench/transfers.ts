import path from 'node:path';
import { execPgbench, type PgbenchResult, pgbenchForms, runClosedModel } from './pgbench.ts';

const scripts = import.meta.dirname;

/** The same double-entry transfer in two forms, and pgbench's own transaction, which is the smaller one. */
export const transferForms = [...pgbenchForms, 'tpcb'] as const;
export type TransferForm = (typeof transferForms)[number];

/** Whom transfers pay: every payee alike, or few of them most (Zipf's law with exponent 1.1). Payers are drawn alike. */
export const transferShapes = ['uniform', 'zipf'] as const;
export type TransferShape = (typeof transferShapes)[number];

/** Payers, and as many payees: `w_1` … and `m_1` …. */
export const transferAccounts = 10_000;

/** Branches of pgbench's tables: each is one row that every tenth of its transactions updates. */
const tpcbScale = 10;

/** Makes the accounts, without events, as the scripts and the scenario use them. */
export async function prepareTransferAccounts(dsn: string): Promise<void> {
  await runOnce(dsn, 'prepare_transfers.sql');
}

/** Makes what the scripts need besides: ids, and pgbench's own tables. */
export async function preparePgbenchTransfers(dsn: string): Promise<void> {
  await prepareTransferAccounts(dsn);
  await runOnce(dsn, 'prepare_transfer_ids.sql');
  await execPgbench(dsn, ['-i', '-q', '-s', String(tpcbScale)]);
}

function runOnce(dsn: string, file: string): Promise<string> {
  return execPgbench(dsn, ['-n', '-t', '1', '-c', '1', '-D', `accounts=${transferAccounts}`, '-f', script(file)]);
}

/** Closed model with prepared statements. pgbench's own transaction knows no shape. */
export async function runPgbenchTransfers(
  dsn: string,
  options: { form: TransferForm; shape: TransferShape; clients: number; seconds: number; seed: number },
): Promise<Omit<PgbenchResult, 'form'>> {
  const { form, shape, clients } = options;
  const what = form === 'tpcb' ? ['-b', 'tpcb-like'] : ['-f', script(`transfer_${form}.sql`)];
  const result = await runClosedModel(dsn, options, [
    '-D',
    `accounts=${transferAccounts}`,
    '-D',
    `zipf=${shape === 'zipf' ? 1 : 0}`,
    ...what,
  ]);
  return { clients, ...result };
}

function script(file: string): string {
  return path.join(scripts, file);
}
