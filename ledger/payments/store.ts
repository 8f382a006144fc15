import type { ClientBase, Pool } from 'pg';
import { maySee, type Principal } from '../../kernel/access/principal.ts';
import type { PaymentProviderName } from '../../kernel/contract/status.ts';
import { AppError } from '../../kernel/http/errors.ts';
import { statements } from '../../kernel/postgres/statement.ts';
import { type Committed, withTransaction } from '../../kernel/postgres/transaction.ts';
import { uuidv7 } from '../../kernel/uuid.ts';
import { externalAccountId } from '../command.ts';
import { checkActive, checkCurrency, checkOwner } from '../decide.ts';
import type { Executed } from '../ledger.ts';
import { openSystemAccounts } from '../store/one-server.ts';
import { decide, type PaymentCommand } from './decide.ts';
import { accountsOfFacts, book } from './effects.ts';
import { fold } from './fold.ts';
import { type Keyed, type Made, once, openBook, writeMade } from './keyed.ts';
import type { CommandRow, PaymentEvent, PaymentFact, PaymentRow, PaymentState, RefundRow } from './rows.ts';
import { shownPayment, shownRefund } from './shown.ts';

const sql = statements(new URL('./sql/', import.meta.url), [
  'find_payment',
  'lock_payment',
  'find_refunds',
  'list_events',
  'lock_command',
  'claim_commands',
  'postpone_command',
  'hasten_charge',
  'find_hold_owner',
  'replay_commands',
]);

export interface NewPayment extends Keyed {
  accountId: string;
  amountMinor: bigint;
  currency: string;
  provider: PaymentProviderName;
  failover: boolean;
  reference: string | null;
  lifetimeSeconds: number;
}

export interface NewRefund extends Keyed {
  paymentId: string;
  /** All that is left where it is undefined. */
  amountMinor: bigint | undefined;
  reason: string | null;
}

/** The right to write down the outcome of a command, until another process claims it. */
export type Lease = Pick<CommandRow, 'command_id' | 'fence'>;

/** Another process owns the command by now, or its outcome is known: what this one found out changes nothing. */
export class LeaseLostError extends Error {
  constructor() {
    super('the lease was lost to another process');
  }
}

export interface Postponement {
  afterMs: number;
  /** How many it has had from now on. */
  attempts: number;
  error: string | null;
  /** `dead`: only an operator makes it due again. */
  status?: CommandRow['status'];
}

/** Payments with their money: every change is one transaction of the ledger's rows and theirs. */
export interface PaymentStore {
  /** Reserves the money and leaves a command for the worker. @throws AppError operation_in_progress, idempotency_key_reused */
  create(command: NewPayment): Promise<Executed>;
  /** As `create`. The amount counts as refunded until the provider refuses it. */
  refund(command: NewRefund): Promise<Executed>;
  /** @throws AppError not_found, payment_not_cancelable */
  cancel(paymentId: string, principal: Principal, requestId?: string): Promise<Committed<PaymentRow>>;

  /** Leases commands that are due and that no process owns, the one that waited longest first. */
  claim(owner: string, options: { leaseMs: number; limit: number }): Promise<CommandRow[]>;
  /** What the owner of a command has decided or learnt. @throws LeaseLostError, ContradictionError */
  change(paymentId: string, command: PaymentCommand, lease: Lease): Promise<PaymentState>;
  /** Gives a command back. @throws LeaseLostError */
  postpone(lease: Lease, postponement: Postponement): Promise<void>;
  /** Makes the charge of a payment due now. @returns whether it is still open. */
  hasten(paymentId: string): Promise<boolean>;

  /** Makes a command that was given up due again, or all of them. @returns how many. */
  replay(commandId?: string): Promise<number>;
  /** Whether a hold reserves the money of a payment, which it then does from its beginning. */
  ownsHold(holdId: string): Promise<boolean>;

  /** As the node of `pool` has them. */
  find(pool: Pool, paymentId: string): Promise<PaymentState | undefined>;
  /** After the sequence number `after`, the oldest first. */
  events(pool: Pool, paymentId: string, window: { after: bigint; limit: number }): Promise<PaymentEvent[]>;
}

export interface PaymentStoreOptions {
  /** Of the primary. */
  pool: Pool;
  now: () => Date;
}

export function createPaymentStore({ pool, now }: PaymentStoreOptions): PaymentStore {
  const opened = new Set<string>();
  return {
    async create(command) {
      await openSystemAccounts({ pool, now }, [externalAccountId(command.currency)], opened);
      return once(pool, command, now(), (client) => create(client, command, now()));
    },
    refund: (command) => once(pool, command, now(), (client) => requestRefund(client, command, now())),
    async cancel(paymentId, principal, requestId) {
      const { result, commitLsn } = await withTransaction(pool, async (client) => {
        const state = await lockVisible(client, paymentId, principal);
        return apply(client, state, decide(state, { type: 'cancel' }), now(), requestId);
      });
      return { result: result.payment, commitLsn };
    },
    async claim(owner, { leaseMs, limit }) {
      return (await sql.claim_commands<CommandRow>(pool, [owner, leaseMs, limit])).rows;
    },
    async change(paymentId, command, lease) {
      const { result } = await withTransaction(pool, async (client) => {
        const state = await lock(client, paymentId);
        const owned = await sql.lock_command(client, [lease.command_id, lease.fence]);
        if (!state || owned.rows.length === 0) throw new LeaseLostError();
        return apply(client, state, decide(state, command), now(), undefined);
      });
      return result;
    },
    async postpone({ command_id, fence }, { afterMs, attempts, error, status = 'open' }) {
      const { rows } = await sql.postpone_command(pool, [command_id, fence, afterMs, attempts, error, status]);
      if (rows.length === 0) throw new LeaseLostError();
    },
    hasten: async (paymentId) => (await sql.hasten_charge(pool, [paymentId])).rows.length > 0,
    replay: async (commandId) => (await sql.replay_commands(pool, [commandId ?? null])).rows.length,
    ownsHold: async (holdId) => (await sql.find_hold_owner(pool, [holdId])).rows.length > 0,
    find: (node, paymentId) => read(node, paymentId, sql.find_payment),
    events: async (node, paymentId, { after, limit }) =>
      (await sql.list_events<PaymentEvent>(node, [paymentId, after, limit])).rows,
  };
}

async function read(
  client: ClientBase | Pool,
  paymentId: string,
  statement: typeof sql.find_payment,
): Promise<PaymentState | undefined> {
  const payment = (await statement<PaymentRow>(client, [paymentId])).rows[0];
  if (!payment) return undefined;
  return { payment, refunds: (await sql.find_refunds<RefundRow>(client, [paymentId])).rows };
}

function lock(client: ClientBase, paymentId: string): Promise<PaymentState | undefined> {
  return read(client, paymentId, sql.lock_payment);
}

async function lockVisible(client: ClientBase, paymentId: string, principal: Principal): Promise<PaymentState> {
  const state = await lock(client, paymentId);
  if (!state || !maySee(principal, state.payment.user_id)) throw paymentNotFound();
  return state;
}

export function paymentNotFound(): AppError {
  return new AppError('not_found', 'No such payment.');
}

async function create(client: ClientBase, command: NewPayment, now: Date): Promise<Made> {
  const { accountId, amountMinor, currency, provider, failover, reference, principal, requestId } = command;
  const books = await openBook(client, [accountId], now);
  const account = books.find(accountId, 'account_id');
  checkOwner(account, principal);
  checkActive(account);
  checkCurrency(account.row, currency);
  books.checkRoom(account, -amountMinor);
  books.reserve(account, amountMinor);
  const [paymentId, holdId] = [uuidv7(now.getTime()), uuidv7(now.getTime())];
  books.holds.push({
    hold_id: holdId,
    account_id: accountId,
    amount_minor: amountMinor,
    currency,
    status: 'active',
    reference: paymentId,
    created_at: now,
    updated_at: now,
  });
  const expiresAt = new Date(now.getTime() + command.lifetimeSeconds * 1_000);
  const fact: PaymentFact = {
    kind: 'created',
    data: {
      account_id: accountId,
      hold_id: holdId,
      amount_minor: amountMinor,
      currency,
      provider,
      failover,
      reference,
      expires_at: expiresAt.toISOString(),
    },
  };
  const event = eventOf(fact, { payment_id: paymentId, user_id: account.row.user_id, sequence: 1n, created_at: now });
  const after = fold(undefined, event);
  return {
    books,
    written: { before: undefined, after, events: [event], requestId },
    answer: { object: 'payment', data: shownPayment(after.payment) },
  };
}

async function requestRefund(client: ClientBase, command: NewRefund, now: Date): Promise<Made> {
  const { paymentId, principal, amountMinor, reason, requestId } = command;
  const state = await lockVisible(client, paymentId, principal);
  const refundId = uuidv7(now.getTime());
  // Behind its lock the account stays open until the refund is written, for which a closing looks.
  const { row } = (await openBook(client, [state.payment.account_id], now)).find(
    state.payment.account_id,
    'account_id',
  );
  if (row.status === 'closed') throw new AppError('account_closed', `Account ${row.account_id} is closed.`);
  const facts = decide(state, { type: 'request_refund', refundId, amountMinor, reason });
  const made = await follow(client, state, facts, now, requestId);
  return { ...made, answer: { object: 'refund', data: shownRefund(made.written.after.refunds.at(-1)!) } };
}

async function apply(
  client: ClientBase,
  state: PaymentState,
  facts: readonly PaymentFact[],
  now: Date,
  requestId: string | undefined,
): Promise<PaymentState> {
  if (facts.length === 0) return state;
  const made = await follow(client, state, facts, now, requestId);
  await writeMade(client, made, []);
  return made.written.after;
}

/** What facts make of a payment whose row is locked, and of the accounts, which are locked now. */
async function follow(
  client: ClientBase,
  before: PaymentState,
  facts: readonly PaymentFact[],
  now: Date,
  requestId: string | undefined,
): Promise<Omit<Made, 'answer'>> {
  const accountIds = accountsOfFacts(before.payment, facts);
  const books = accountIds.length === 0 ? undefined : await openBook(client, accountIds, now);
  // Clocks of several processes differ, and one may be set back: times follow the sequence all the same.
  const at = new Date(Math.max(before.payment.updated_at.getTime(), now.getTime()));
  const events: PaymentEvent[] = [];
  let after = before;
  for (const fact of facts) {
    const { payment_id, user_id, sequence } = after.payment;
    const event = eventOf(fact, { payment_id, user_id, sequence: sequence + 1n, created_at: at });
    if (books) book(books, before.payment, fact, now);
    events.push(event);
    after = fold(after, event);
  }
  return { books, written: { before, after, events, requestId } };
}

function eventOf(fact: PaymentFact, place: Omit<PaymentEvent, 'event_id' | 'kind' | 'data'>): PaymentEvent {
  return { ...fact, ...place, event_id: uuidv7(place.created_at.getTime()) };
}
