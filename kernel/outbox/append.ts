import type { ClientBase } from 'pg';
import type { AggregateType } from '../contract/envelope.ts';
import { toJson } from '../http/envelope.ts';
import { columnsOf } from '../postgres/columns.ts';
import { joinJsonTexts } from '../postgres/json-texts.ts';
import { statement } from '../postgres/statement.ts';

const insertOutbox = statement(new URL('./sql/insert_outbox.sql', import.meta.url));

/** A domain event on its way to the outside. */
export interface OutboxRow {
  /** UUIDv7 of the event. */
  eventId: string;
  aggregateType: AggregateType;
  aggregateId: string;
  /** Key of the event's messages: one user's events keep their order. */
  userId: string;
  /** Of the event within its aggregate: 1..n without gaps. */
  sequence: bigint;
  /** `<aggregateType>.<kind>`, one of `eventTypes` of the contract. */
  eventType: string;
  /** JSON; bigint amounts are allowed. Analytics read `amount_minor`, `currency`, `status` and `after`. */
  payload: Record<string, unknown>;
  /** Trace and correlation ids. */
  headers: Record<string, string>;
  createdAt: Date;
}

/** Writes events in the transaction of their effect: one statement for all rows; does nothing for none. */
export async function appendOutbox(client: ClientBase, rows: readonly OutboxRow[]): Promise<void> {
  if (rows.length === 0) return;
  await insertOutbox(client, [
    ...columnsOf(rows, ['eventId', 'aggregateType', 'aggregateId', 'userId', 'sequence', 'eventType']),
    joinJsonTexts(rows.map(({ payload }) => toJson(payload))),
    joinJsonTexts(rows.map(({ headers }) => toJson(headers))),
    rows.map(({ createdAt }) => createdAt.toISOString()),
  ]);
}
