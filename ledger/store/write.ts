import type { ClientBase } from 'pg';
import { appendOutbox } from '../../kernel/outbox/append.ts';
import { columnsOf } from '../../kernel/postgres/columns.ts';
import { joinJsonTexts } from '../../kernel/postgres/json-texts.ts';
import { statements } from '../../kernel/postgres/statement.ts';
import type { LedgerChanges } from '../batch.ts';

const sql = statements(new URL('./sql/one-server/', import.meta.url), [
  'delete_deltas',
  'insert_deltas',
  'write_transfers',
  'insert_holds',
]);

/**
 * Sends everything that was decided, and returns the statements without awaiting them. Transfers, accounts, postings and
 * keys are one statement; the others are sent where they have rows. `client` must be in pipeline mode.
 */
export function writeChanges(client: ClientBase, changes: LedgerChanges): Promise<unknown>[] {
  const { transfers, folded, deltas, accounts, postings, holds, keys, events } = changes;
  const sent: Promise<unknown>[] = [];
  if (folded.length > 0) sent.push(sql.delete_deltas(client, columnsOf(folded, ['account_id', 'transfer_id'])));
  if (deltas.length > 0) sent.push(sql.insert_deltas(client, columnsOf(deltas, deltaColumns)));
  if (transfers.length + accounts.length + keys.length > 0) {
    sent.push(
      sql.write_transfers(client, [
        ...columnsOf(transfers, transferColumns),
        ...columnsOf(accounts, accountColumns),
        ...columnsOf(postings, postingColumns),
        ...columnsOf(keys, ['principal', 'key', 'request_sha256', 'status']),
        joinJsonTexts(keys.map(({ body }) => body)),
        keys.map(({ created_at }) => created_at),
      ]),
    );
  }
  if (holds.length > 0) sent.push(sql.insert_holds(client, columnsOf(holds, holdColumns)));
  if (events.length > 0) sent.push(appendOutbox(client, events));
  return sent;
}

const deltaColumns = ['account_id', 'transfer_id', 'amount_minor', 'currency', 'created_at'] as const;

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
