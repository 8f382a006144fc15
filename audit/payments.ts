import { isDeepStrictEqual } from 'node:util';
import type { Client } from 'pg';
import { type PaymentProviderName, paymentProviders, settledPaymentStatuses } from '../kernel/contract/status.ts';
import { foldAll } from '../ledger/payments/fold.ts';
import type { PaymentEvent, PaymentRow, RefundRow } from '../ledger/payments/rows.ts';
import type { Movement } from '../simulator/payments/books.ts';
import type { ProviderFinding } from './bookings.ts';

/** A movement in the books of one of the providers. */
export type BookedMovement = Movement & { provider: PaymentProviderName };

/** Captures and refunds in the books of both providers. @throws Error when they cannot be read. */
export async function readMovements(providerUrl: string): Promise<BookedMovement[]> {
  const books = paymentProviders.map(async (provider) => {
    const response = await fetch(new URL(`/${provider}/ledger`, providerUrl), { signal: AbortSignal.timeout(30_000) });
    if (!response.ok) throw new Error(`the provider answered ${response.status} when asked for its payments`);
    const lines = (await response.text()).split('\n').filter(Boolean);
    return lines.map((line): BookedMovement => ({ ...(JSON.parse(line) as Movement), provider }));
  });
  return (await Promise.all(books)).flat();
}

/**
 * I4 for payments: the providers' books have at most one capture for each payment, both of them together, and what they
 * have is what the lab says. The books only grow: those of before the database was read must all be known in it, and what
 * it holds must be in those of after. While a payment is being processed its capture may be there or not.
 */
export async function auditPayments(
  client: Client,
  { before, after }: { before: readonly BookedMovement[]; after: readonly BookedMovement[] },
): Promise<ProviderFinding> {
  const { payments, refunds } = await readRows(client);
  const captured = Map.groupBy(
    after.filter(({ type }) => type === 'capture'),
    ({ key }) => key,
  );
  const given = Map.groupBy(
    after.flatMap((entry) => (entry.type === 'refund' ? [entry] : [])),
    ({ refund_key }) => refund_key,
  );
  const known = new Set([
    ...payments.map(({ payment_id }) => payment_id),
    ...refunds.map(({ refund_id }) => refund_id),
  ]);
  const problems = before
    .map((entry) => (entry.type === 'refund' ? entry.refund_key : entry.key))
    .filter((key) => !known.has(key))
    .map((key) => `${key}: at the provider, and unknown here`);
  for (const payment of payments) {
    const problem = problemOfPayment(payment, captured.get(payment.payment_id) ?? []);
    if (problem) problems.push(`${payment.payment_id}: ${problem}`);
  }
  for (const refund of refunds) {
    const problem = problemOfRefund(refund, given.get(refund.refund_id) ?? []);
    if (problem) problems.push(`${refund.refund_id}: ${problem}`);
  }
  return finding(payments.length, problems);
}

function finding(checked: number, problems: string[]): ProviderFinding {
  return { checked, violations: problems.length, examples: problems.sort().slice(0, 20), note: null };
}

/** The lab's own half: each payment is what its events add up to, and none is stuck without a command. */
export async function checkPayments(client: Client): Promise<ProviderFinding> {
  const { checked, problems } = await checkRebuild(client);
  return finding(checked, [...problems, ...(await stuckPayments(client))]);
}

/** Payments that are not what their events add up to, the events read from the connection. */
export async function checkRebuild(client: Client): Promise<{ checked: number; problems: string[] }> {
  const { payments, refunds } = await readRows(client);
  return { checked: payments.length, problems: await notRebuilt(client, payments, refunds) };
}

function problemOfPayment(payment: PaymentRow, booked: readonly BookedMovement[]): string | undefined {
  const { status, amount_minor, currency, charged_by, provider_reference } = payment;
  if (booked.length > 1)
    return `captured ${booked.length} times: by ${booked.map((entry) => entry.provider).join(', ')}`;
  const [entry] = booked;
  const isPaid = settledPaymentStatuses.includes(status) && status !== 'failed' && status !== 'canceled';
  if (!entry) return isPaid ? `${status}, and not in the provider's books` : undefined;
  if (status !== 'processing' && !isPaid) return `${status}, but captured by ${entry.provider}`;
  if (entry.provider !== charged_by) return `captured by ${entry.provider}, but charged by ${charged_by}`;
  if (entry.amount_minor !== String(amount_minor) || entry.currency !== currency) {
    return `${amount_minor} ${currency}, but ${entry.amount_minor} ${entry.currency} at the provider`;
  }
  return isPaid && provider_reference !== entry.reference ? `not under the reference ${entry.reference}` : undefined;
}

function problemOfRefund(refund: RefundRow, booked: readonly BookedMovement[]): string | undefined {
  if (booked.length > 1) return `given back ${booked.length} times`;
  const [entry] = booked;
  if (!entry) return refund.status === 'completed' ? "given back, and not in the provider's books" : undefined;
  if (refund.status === 'failed') return 'failed, but given back by the provider';
  if (entry.key !== refund.payment_id) return `of another payment at the provider: ${entry.key}`;
  return entry.amount_minor === String(refund.amount_minor)
    ? undefined
    : `${refund.amount_minor}, but ${entry.amount_minor} at the provider`;
}

/** What has no outcome and no command that would lead to one, or a command and an outcome. */
async function stuckPayments(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ example: string }>(
    `with wanted as (
       select payment_id as command_id from payments where status in ('pending', 'processing')
       union all
       select refund_id from refunds where status = 'pending'
     )
     select coalesce(w.command_id, c.command_id) || case
         when c.command_id is null then ': has no outcome, and no command that would lead to one'
         else ': has an outcome, and a command that is left' end as example
     from wanted w full join payment_commands c using (command_id)
     where w.command_id is null or c.command_id is null`,
  );
  return rows.map(({ example }) => example);
}

async function readRows(client: Client): Promise<{ payments: PaymentRow[]; refunds: RefundRow[] }> {
  const payments = await client.query<Record<string, unknown>>('select * from payments');
  const refunds = await client.query<Record<string, unknown>>('select * from refunds order by created_at, refund_id');
  return {
    payments: payments.rows.map((row) => withAmounts(row, paymentAmounts)) as unknown as PaymentRow[],
    refunds: refunds.rows.map((row) => withAmounts(row, ['amount_minor'])) as unknown as RefundRow[],
  };
}

const paymentAmounts = ['amount_minor', 'refunded_minor', 'refunding_minor', 'sequence'];

/** The client of an audit has 64 bits as digits. */
function withAmounts(row: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  const amounts = names.map((name) => [name, BigInt(row[name] as string)]);
  return { ...row, ...Object.fromEntries(amounts) };
}

async function notRebuilt(
  client: Client,
  payments: readonly PaymentRow[],
  refunds: readonly RefundRow[],
): Promise<string[]> {
  const { rows } = await client.query<PaymentEvent>(
    'select event_id, payment_id, user_id, sequence, kind, data, created_at from payment_events order by payment_id, sequence',
  );
  const events = Map.groupBy(
    rows.map((row): PaymentEvent => ({ ...row, sequence: BigInt(row.sequence) })),
    ({ payment_id }) => payment_id,
  );
  const refundsOf = Map.groupBy(refunds, ({ payment_id }) => payment_id);
  const problems: string[] = [];
  for (const payment of payments) {
    const own = events.get(payment.payment_id) ?? [];
    const stored = { payment, refunds: byId(refundsOf.get(payment.payment_id) ?? []) };
    const problem = differenceOf(stored, own);
    if (problem) problems.push(`${payment.payment_id}: ${problem}`);
  }
  return problems;
}

function differenceOf(
  stored: { payment: PaymentRow; refunds: RefundRow[] },
  events: readonly PaymentEvent[],
): string | undefined {
  try {
    const folded = foldAll(events);
    if (!folded) return 'has no events';
    const names = Object.keys(stored.payment) as (keyof PaymentRow)[];
    const wrong = names.filter((name) => !isDeepStrictEqual(stored.payment[name], folded.payment[name]));
    if (wrong.length > 0) return `${wrong.join(', ')}: not what its events say`;
    return isDeepStrictEqual(stored.refunds, byId(folded.refunds))
      ? undefined
      : 'refunds that are not what its events say';
  } catch (error) {
    return (error as Error).message;
  }
}

function byId(refunds: readonly RefundRow[]): RefundRow[] {
  return refunds.toSorted((a, b) => (a.refund_id < b.refund_id ? -1 : 1));
}
