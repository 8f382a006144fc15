import type { ClientBase } from 'pg';
import { toJson } from '../../kernel/http/envelope.ts';
import { joinJsonTexts } from '../../kernel/postgres/json-texts.ts';
import { statement } from '../../kernel/postgres/statement.ts';
import type { DisputeEventRow, DomainEvent, OrderEventRow, OutboxRow } from './rows.ts';

const insertOrderEvents = statement(new URL('./sql/insert_order_events.sql', import.meta.url));
const insertDisputeEvents = statement(new URL('./sql/insert_dispute_events.sql', import.meta.url));
const insertOutbox = statement(new URL('./sql/insert_outbox.sql', import.meta.url));

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
  const { eventId, userId, sequence, createdAt, headers } = event;
  const aggregateId = event.aggregate === 'order' ? event.orderId : event.disputeId;
  const payload = {
    ...event.data,
    kind: event.kind,
    order_id: event.orderId,
    ...(event.aggregate === 'dispute' && { dispute_id: event.disputeId }),
    provider: event.provider,
    provider_event_id: event.providerEventId,
  };
  const eventType = `${event.aggregate}.${event.kind}`;
  return {
    eventId,
    aggregateType: event.aggregate,
    aggregateId,
    userId,
    sequence,
    eventType,
    payload,
    headers,
    createdAt,
  };
}

/** One statement for all rows; does nothing for none. */
export async function appendOrderEvents(client: ClientBase, rows: readonly OrderEventRow[]): Promise<void> {
  if (rows.length === 0) return;
  await insertOrderEvents(client, [
    rows.map((row) => row.eventId),
    rows.map((row) => row.orderId),
    rows.map((row) => row.userId),
    rows.map((row) => row.sequence),
    rows.map((row) => row.kind),
    rows.map((row) => row.provider),
    rows.map((row) => row.providerEventId),
    joinJsonTexts(rows.map((row) => toJson(row.data))),
    rows.map((row) => row.createdAt.toISOString()),
  ]);
}

/** One statement for all rows; does nothing for none. */
export async function appendDisputeEvents(client: ClientBase, rows: readonly DisputeEventRow[]): Promise<void> {
  if (rows.length === 0) return;
  await insertDisputeEvents(client, [
    rows.map((row) => row.eventId),
    rows.map((row) => row.disputeId),
    rows.map((row) => row.orderId),
    rows.map((row) => row.userId),
    rows.map((row) => row.sequence),
    rows.map((row) => row.kind),
    rows.map((row) => row.provider),
    rows.map((row) => row.providerEventId),
    joinJsonTexts(rows.map((row) => toJson(row.data))),
    rows.map((row) => row.createdAt.toISOString()),
  ]);
}

/** One statement for all rows; does nothing for none. */
export async function appendOutbox(client: ClientBase, rows: readonly OutboxRow[]): Promise<void> {
  if (rows.length === 0) return;
  await insertOutbox(client, [
    rows.map((row) => row.eventId),
    rows.map((row) => row.aggregateType),
    rows.map((row) => row.aggregateId),
    rows.map((row) => row.userId),
    rows.map((row) => row.sequence),
    rows.map((row) => row.eventType),
    joinJsonTexts(rows.map((row) => toJson(row.payload))),
    joinJsonTexts(rows.map((row) => toJson(row.headers))),
    rows.map((row) => row.createdAt.toISOString()),
  ]);
}
