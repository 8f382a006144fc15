import type { ClientBase } from 'pg';
import { toJson } from '../../kernel/http/envelope.ts';
import { appendOutbox } from '../../kernel/outbox/append.ts';
import { columnsOf } from '../../kernel/postgres/columns.ts';
import { joinJsonTexts } from '../../kernel/postgres/json-texts.ts';
import { statements } from '../../kernel/postgres/statement.ts';
import { holdEndOf } from './effects.ts';
import { outboxRow } from './outbox.ts';
import type { PaymentEvent, PaymentRow, PaymentState } from './rows.ts';

const sql = statements(new URL('./sql/', import.meta.url), [
  'insert_payment',
  'update_payment',
  'insert_events',
  'write_refunds',
  'insert_command',
  'delete_command',
  'end_hold',
]);

/** A payment with what happened to it in one transaction. */
export interface WrittenPayment {
  before: PaymentState | undefined;
  after: PaymentState;
  events: readonly PaymentEvent[];
  requestId: string | undefined;
}

/** Everything of a payment but its money, for which the ledger's rows come first. */
export async function writePayment(client: ClientBase, written: WrittenPayment): Promise<void> {
  const { before, after, events, requestId } = written;
  const { payment } = after;
  if (events.length === 0) return;
  if (before) await sql.update_payment(client, updateValues(payment));
  else await sql.insert_payment(client, insertValues(payment));
  await sql.insert_events(client, [
    ...columnsOf(events, ['payment_id', 'sequence', 'event_id', 'user_id', 'kind']),
    joinJsonTexts(events.map(({ data }) => toJson(data))),
    events.map(({ created_at }) => created_at),
  ]);
  const refunds = after.refunds.filter((refund) => !before?.refunds.includes(refund));
  if (refunds.length > 0) await sql.write_refunds(client, columnsOf(refunds, refundColumns));
  for (const event of events) await writeConsequences(client, payment, event);
  await appendOutbox(
    client,
    events.map((event) => outboxRow(event, payment, requestId)),
  );
}

/** The hold that ends with an event, and the command that comes or leaves with it. */
async function writeConsequences(client: ClientBase, payment: PaymentRow, event: PaymentEvent): Promise<void> {
  const { payment_id, hold_id } = payment;
  const end = holdEndOf(event);
  if (end) {
    await sql.end_hold(client, [hold_id, end, event.created_at]);
    await sql.delete_command(client, [payment_id]);
  }
  if (event.kind === 'created') await sql.insert_command(client, [payment_id, payment_id, 'charge']);
  if (event.kind === 'refund_requested') await sql.insert_command(client, [event.data.refund_id, payment_id, 'refund']);
  if (event.kind === 'refunded' || event.kind === 'refund_failed') {
    await sql.delete_command(client, [event.data.refund_id]);
  }
}

function insertValues(row: PaymentRow): unknown[] {
  return paymentColumns.map((column) => row[column]);
}

function updateValues(row: PaymentRow): unknown[] {
  return [
    row.payment_id,
    row.status,
    row.charged_by,
    row.action_url,
    row.provider_reference,
    row.failure_reason,
    row.refunded_minor,
    row.refunding_minor,
    row.sequence,
    row.updated_at,
  ];
}

const refundColumns = [
  'refund_id',
  'payment_id',
  'amount_minor',
  'currency',
  'status',
  'provider_reference',
  'failure_reason',
  'reason',
  'created_at',
  'updated_at',
] as const;

/** In the order of insert_payment.sql. */
const paymentColumns = [
  'payment_id',
  'user_id',
  'account_id',
  'amount_minor',
  'currency',
  'provider',
  'failover',
  'status',
  'hold_id',
  'charged_by',
  'action_url',
  'provider_reference',
  'failure_reason',
  'refunded_minor',
  'refunding_minor',
  'reference',
  'sequence',
  'expires_at',
  'created_at',
  'updated_at',
] as const;
