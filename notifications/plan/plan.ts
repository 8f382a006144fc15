import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { toJson } from '../../kernel/http/envelope.ts';
import { isStoreUnavailable, isTransient } from '../../kernel/postgres/errors.ts';
import { statement } from '../../kernel/postgres/statement.ts';
import { pause } from '../../kernel/wait.ts';
import { EventError, type Sink, SinkError, type SinkEvent } from '../../stream/sink.ts';
import { factsOf, subjects } from '../subjects.ts';

const planSql = statement(new URL('./sql/plan.sql', import.meta.url));

export interface PlannerOptions {
  /** Of the role lab_notifications. */
  pool: Pool;
  logger: Logger;
  /** Older events are recorded as expired. */
  maxAgeSeconds: number;
  /** Told after a COMMIT that has brought notifications to send. */
  onPlanned(count: number): void;
}

const longestPauseMs = 5_000;

/**
 * Takes the outbox's events and writes the notifications that follow, once: a batch that comes again, or that another
 * process has written, changes nothing.
 */
export function createPlanner(options: PlannerOptions): Sink {
  return {
    async write(batch, _token, signal) {
      const facts = batch.flatMap(factRows);
      if (facts.length === 0) return;
      const planned = await insert(options, toJson(facts), signal);
      if (planned > 0) options.onPlanned(planned);
    },
    close: async () => {},
  };
}

const types = new Set(subjects.map(({ event }) => event));

/** @throws EventError where the payload of an event that may notify is no JSON object. */
function factRows({ envelope }: SinkEvent): object[] {
  if (!types.has(envelope.type)) return [];
  const event = {
    eventId: envelope.event_id,
    type: envelope.type,
    aggregateId: envelope.aggregate_id,
    sequence: envelope.sequence,
    payload: parsePayload(envelope.payload),
  };
  return factsOf(event).map(({ type, key, data }) => ({
    type,
    fact: key,
    event_id: envelope.event_id,
    user_id: envelope.user_id,
    occurred_at: envelope.occurred_at,
    data,
  }));
}

function parsePayload(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Told below, without the text.
  }
  throw new EventError('the payload is not a JSON object');
}

/** Repeats while the database is away. @returns how many are to be sent. */
async function insert(
  { pool, logger, maxAgeSeconds }: PlannerOptions,
  facts: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  for (let failures = 0; ; failures += 1) {
    signal?.throwIfAborted();
    try {
      const { rows } = await planSql<{ status: string }>(pool, [facts, maxAgeSeconds]);
      return rows.filter(({ status }) => status === 'pending').length;
    } catch (error) {
      if (!isStoreUnavailable(error) && !isTransient(error)) throw new SinkError(String((error as Error).message));
      logger.warn({ err: error }, 'notifications could not be written; the same events come again');
      await pause(Math.min(longestPauseMs, 100 * 2 ** failures), signal);
    }
  }
}
