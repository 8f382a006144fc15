import type { ClientBase } from 'pg';
import { columnsOf } from '../../kernel/postgres/columns.ts';
import { statements } from '../../kernel/postgres/statement.ts';
import type { LedgerChanges } from '../batch.ts';

const sql = statements(new URL('./sql/one-server/', import.meta.url), [
  'insert_transfers',
  'delete_deltas',
  'insert_deltas',
  'update_accounts',
  'insert_postings',
  'insert_holds',
  'insert_keys',
]);

type Name = keyof typeof sql;

/** One statement for each kind of row that there is. Accounts come before postings, which are held against them. */
export function writeChanges(client: ClientBase, changes: LedgerChanges): Promise<unknown>[] {
  const { transfers, folded, deltas, accounts, postings, holds, keys } = changes;
  const write = <Row extends object>(name: Name, rows: readonly Row[], columns: readonly (keyof Row)[]) =>
    rows.length === 0 ? [] : [sql[name](client, columnsOf(rows, columns))];
  return [
    ...write('insert_transfers', transfers, transferColumns),
    ...write('delete_deltas', folded, ['account_id', 'transfer_id']),
    ...write('insert_deltas', deltas, ['account_id', 'transfer_id', 'amount_minor', 'currency', 'created_at']),
    ...write('update_accounts', accounts, accountColumns),
    ...write('insert_postings', postings, postingColumns),
    ...write('insert_holds', holds, holdColumns),
    ...write('insert_keys', keys, ['principal', 'key', 'request_sha256', 'status', 'body', 'created_at']),
  ];
}

const transferColumns = [
  'transfer_id',
  'kind',
  'from_account_id',
  'to_account_id',
  'amount_minor',
  'currency',
  'to_amount_minor',
  'to_currency',
  'rate',
  'reference',
  'created_at',
] as const;

const accountColumns = ['account_id', 'balance_minor', 'held_minor', 'version', 'chain_hash', 'updated_at'] as const;

const postingColumns = [
  'account_id',
  'sequence',
  'transfer_id',
  'amount_minor',
  'currency',
  'balance_minor',
  'hash',
  'created_at',
] as const;

const holdColumns = [
  'hold_id',
  'account_id',
  'amount_minor',
  'currency',
  'status',
  'reference',
  'created_at',
  'updated_at',
] as const;
