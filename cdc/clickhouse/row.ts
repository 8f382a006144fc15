import type { SinkEvent } from './sink.ts';

/** Columns of `events_in`. */
export const eventColumns: readonly string[] = [
  'event_id',
  'type',
  'aggregate_type',
  'aggregate_id',
  'user_id',
  'sequence',
  'occurred_at',
  'payload',
  'sent_at_ms',
  'accepted_at_ms',
  'committed_at_ms',
  'read_at_ms',
  'published_at_ms',
];

/** One line of JSONCompactEachRow, its values in the order of `eventColumns`. */
export function eventLine({ envelope, times }: SinkEvent): string {
  const { event_id, type, aggregate_type, aggregate_id, user_id, sequence, occurred_at, payload } = envelope;
  const texts = JSON.stringify([event_id, type, aggregate_type, aggregate_id, user_id]).slice(0, -1);
  return (
    `${texts},${sequence},${JSON.stringify(occurred_at)},${JSON.stringify(payload)},${orNull(times.sentAtMs)},` +
    `${orNull(times.acceptedAtMs)},${orNull(times.committedAtMs)},${orNull(times.readAtMs)},${orNull(times.publishedAtMs)}]\n`
  );
}

function orNull(ms: number | undefined): string {
  return ms === undefined ? 'null' : String(Math.round(ms));
}
