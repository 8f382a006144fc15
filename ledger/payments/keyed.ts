import type { ClientBase, Pool } from 'pg';
import type { Principal } from '../../kernel/access/principal.ts';
import { toJson } from '../../kernel/http/envelope.ts';
import { AppError } from '../../kernel/http/errors.ts';
import { statements } from '../../kernel/postgres/statement.ts';
import { withTransaction } from '../../kernel/postgres/transaction.ts';
import { uuidv7 } from '../../kernel/uuid.ts';
import type { Answer } from '../batch.ts';
import { Book } from '../book.ts';
import type { Command } from '../command.ts';
import { keyLifetimeMs } from '../decide.ts';
import type { Executed } from '../ledger.ts';
import { inProgress, keyReused } from '../refusals.ts';
import type { AccountRow, DeltaRow, KeyRow } from '../rows.ts';
import { writeChanges } from '../store/write.ts';
import { type WrittenPayment, writePayment } from './write.ts';

const ledgerSql = statements(new URL('../store/sql/one-server/', import.meta.url), [
  'lock_keys',
  'find_keys',
  'lock_accounts',
  'find_deltas',
]);

/** A request with a key, by which a repetition gets the same answer. */
export interface Keyed {
  principal: Principal;
  idempotency: Command['idempotency'];
  requestId?: string;
}

/** What a transaction is about to write. */
export interface Made {
  /** Undefined where no money moves. */
  books: Book | undefined;
  written: WrittenPayment;
  answer: { object: string; data: unknown };
}

/**
 * Does what a request asks for, once for each principal and key; a refusal is stored as an answer, too.
 * @param make Decides, reads and locks, and writes nothing.
 */
export async function once(
  pool: Pool,
  { principal, idempotency }: Keyed,
  now: Date,
  make: (client: ClientBase) => Promise<Made>,
): Promise<Executed> {
  const { result, commitLsn } = await withTransaction(pool, async (client): Promise<Answer> => {
    const stored = await takeKey(client, principal.userId, idempotency, now);
    if (stored) return stored;
    const made = await make(client).catch((error: unknown) => {
      if (error instanceof AppError) return error;
      throw error;
    });
    const [status, body] =
      made instanceof AppError
        ? [made.status, toJson({ code: made.code, message: made.message, details: made.details })]
        : [202, toJson(made.answer)];
    const key: KeyRow = {
      principal: principal.userId,
      key: idempotency.key,
      request_sha256: idempotency.requestSha256,
      status,
      body,
      created_at: now,
    };
    await writeMade(client, made instanceof AppError ? undefined : made, [key]);
    return { status, body, replayed: false };
  });
  return { answer: result, commitLsn };
}

/** Locks a key. @returns the answer that it has. @throws AppError operation_in_progress, idempotency_key_reused */
async function takeKey(
  client: ClientBase,
  principal: string,
  { key, requestSha256 }: Keyed['idempotency'],
  now: Date,
): Promise<Answer | undefined> {
  const busy = await ledgerSql.lock_keys(client, [[principal], [key]]);
  if (busy.rows.length > 0) throw inProgress();
  const stored = (await ledgerSql.find_keys<KeyRow>(client, [[principal], [key]])).rows[0];
  if (!stored || now.getTime() - stored.created_at.getTime() >= keyLifetimeMs) return undefined;
  if (stored.request_sha256 !== requestSha256) throw keyReused();
  return { status: stored.status, body: stored.body, replayed: true };
}

/** The accounts, locked until the transaction ends. */
export async function openBook(client: ClientBase, accountIds: string[], now: Date): Promise<Book> {
  const values = [accountIds, accountIds, [], false];
  const locked = await ledgerSql.lock_accounts<AccountRow>(client, values);
  const deltas = await ledgerSql.find_deltas<DeltaRow>(client, values);
  const loaded = { locked: locked.rows, shared: [], deltas: deltas.rows, keys: [], busyKeys: new Set<string>() };
  return new Book(loaded, { now, newId: uuidv7 });
}

/** The ledger's rows, then those of the payment, which refer to them. */
export async function writeMade(
  client: ClientBase,
  made: Omit<Made, 'answer'> | undefined,
  keys: KeyRow[],
): Promise<void> {
  const none = { accounts: [], transfers: [], postings: [], deltas: [], folded: [], holds: [], events: [] };
  const changes = made?.books?.changes() ?? none;
  await Promise.all(writeChanges(client, { ...changes, answers: [], keys }));
  if (made) await writePayment(client, made.written);
}
