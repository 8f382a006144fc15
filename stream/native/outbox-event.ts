import {
  type AggregateType,
  type EnvelopeText,
  envelopeVersion,
  type StageTimes,
} from '../../kernel/contract/envelope.ts';
import type { SinkEvent } from '../sink.ts';

/** Columns of `outbox` that make an event, in the order of `OutboxText`. */
export const outboxColumns = [
  'event_id',
  'aggregate_type',
  'aggregate_id',
  'user_id',
  'sequence',
  'event_type',
  'payload',
  'headers',
  'created_at',
] as const;

/** The columns as PostgreSQL prints them, with time zone UTC and date style ISO. */
export type OutboxText = string[];

/** What leaves the outbox for a row. The payload stays the text that PostgreSQL printed. */
export function toSinkEvent(row: OutboxText, times: StageTimes): SinkEvent {
  const envelope: EnvelopeText = {
    event_id: row[0]!,
    type: row[5]!,
    version: envelopeVersion,
    // The table says text; what another producer writes there is for the sink to refuse.
    aggregate_type: row[1] as AggregateType,
    aggregate_id: row[2]!,
    user_id: row[3]!,
    sequence: BigInt(row[4]!),
    occurred_at: toRfc3339(row[8]!),
    payload: row[6]!,
  };
  addHeaderTimes(times, row[7]!);
  return { envelope, times };
}

/** `2026-01-31 12:00:00.5+00` → `2026-01-31T12:00:00.5Z`. */
export function toRfc3339(text: string): string {
  return `${text.slice(0, 10)}T${text.slice(11, -3)}Z`;
}

const sentAt = /"sent_at_ms": ?"(\d{1,15})"/;
const acceptedAt = /"accepted_at_ms": ?"(\d{1,15})"/;

/** The stages before the database, which the writer put into the row's headers. Searched for, as parsing costs more. */
function addHeaderTimes(times: StageTimes, headers: string): void {
  if (!headers.includes('_at_ms')) return;
  const sent = sentAt.exec(headers);
  if (sent) times.sentAtMs = Number(sent[1]);
  const accepted = acceptedAt.exec(headers);
  if (accepted) times.acceptedAtMs = Number(accepted[1]);
}
