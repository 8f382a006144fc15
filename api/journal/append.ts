import type { ClientBase } from 'pg';
import { toJson } from '../../kernel/http/envelope.ts';
import { appendOutbox, type OutboxRow } from '../../kernel/outbox/append.ts';
import { columnsOf } from '../../kernel/postgres/columns.ts';
import { joinJsonTexts } from '../../kernel/postgres/json-texts.ts';
import { statements } from '../../kernel/postgres/statement.ts';
import type { DisputeEventRow, DomainEvent, OrderEventRow } from './rows.ts';

const sql = statements(new URL('./sql/', import.meta.url), ['insert_order_events', 'insert_dispute_events']);

/**
 * Writes the events and their outbox rows in the caller's transaction. A use case that changes an order or a dispute calls
 * this with the rows that the change made, so that the history and what leaves for the outside cannot differ.
 */
export async function appendEvents(client: ClientBase, events: readonly DomainEvent[]): Promise<void> {
  await appendOrderEvents(
    client,
    events.filter((event) => event.aggregate === 'order'),
  );
  await appendDisputeEvents(
    client,
    events.filter((event) => event.aggregate === 'dispute'),
  );
  await appendOutbox(client, events.map(outboxRow));
}

/** The outbox row of an event. Its payload is the event's data with what identifies the event. */
export function outboxRow(event: DomainEvent): OutboxRow {
  return {
    eventId: event.eventId,
    aggregateType: event.aggregate,
    aggregateId: event.aggregate === 'order' ? event.orderId : event.disputeId,
    userId: event.userId,
    sequence: event.sequence,
    eventType: `${event.aggregate}.${event.kind}`,
    payload: {
      ...event.data,
      kind: event.kind,
      order_id: event.orderId,
      ...(event.aggregate === 'dispute' && { dispute_id: event.disputeId }),
      provider: event.provider,
      provider_event_id: event.providerEventId,
    },
    headers: event.headers,
    createdAt: event.createdAt,
  };
}

/** One statement for all rows; does nothing for none. */
export async function appendOrderEvents(client: ClientBase, rows: readonly OrderEventRow[]): Promise<void> {
  if (rows.length === 0) return;
  await sql.insert_order_events(client, [
    ...columnsOf(rows, ['eventId', 'orderId', 'userId', 'sequence', 'kind', 'provider', 'providerEventId']),
    jsonColumn(rows.map((row) => row.data)),
    timeColumn(rows),
  ]);
}

/** One statement for all rows; does nothing for none. */
export async function appendDisputeEvents(client: ClientBase, rows: readonly DisputeEventRow[]): Promise<void> {
  if (rows.length === 0) return;
  await sql.insert_dispute_events(client, [
    ...columnsOf(rows, [
      'eventId',
      'disputeId',
      'orderId',
      'userId',
      'sequence',
      'kind',
      'provider',
      'providerEventId',
    ]),
    jsonColumn(rows.map((row) => row.data)),
    timeColumn(rows),
  ]);
}

function jsonColumn(values: readonly unknown[]): string {
  return joinJsonTexts(values.map((value) => toJson(value)));
}

function timeColumn(rows: readonly { createdAt: Date }[]): string[] {
  return rows.map((row) => row.createdAt.toISOString());
}
