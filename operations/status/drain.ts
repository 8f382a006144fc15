import { type ClickHouseClient, ClickHouseError, createClient } from '@clickhouse/client';
import { pino } from 'pino';
import { retryGroup, retryTopics, sourceTopics } from '../../kernel/contract/topics.ts';
import { createKafkaClient } from '../../kernel/kafka/kafkajs.ts';
import type { KafkaClient } from '../../kernel/kafka/port.ts';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { waitWhileShrinking } from '../../kernel/wait.ts';
import type { SystemDescription } from '../../runtime/system-description.ts';

/** What has been accepted and has not come to its end yet. */
export interface Backlog {
  /** Messages of the webhook topics and their retries that the API has not processed; null in sync mode. */
  messages: number | null;
  /** Events of the outbox that ClickHouse does not have; null without change data capture. */
  events: number | null;
}

export interface Drained {
  drained: boolean;
  waitedMs: number;
  /** What was left at the last look. */
  backlog: Backlog;
}

/** The group that the API's consumers join unless they are told otherwise. */
export const consumerGroup = 'lab-api';

/** Without any progress for longer than this, nothing waits for its next attempt: a part is down. */
const longestRetryPauseMs = 30_000;

/**
 * Waits until nothing is under way between gateway and ClickHouse; gives up at the time limit, or when the backlog has
 * not become smaller for `stallMs`. Systems without a pipeline are drained at once.
 */
export async function untilDrained(
  run: SystemDescription,
  options: { timeoutMs: number; stallMs?: number; signal?: AbortSignal; progress?: (line: string) => void },
): Promise<Drained> {
  const startedAt = performance.now();
  const kafka = run.mode === 'kafka' && run.kafka ? createLabKafka(run.kafka.brokers) : undefined;
  const { timeoutMs, signal, stallMs = longestRetryPauseMs + 5_000 } = options;
  const elapsedMs = () => Math.round(performance.now() - startedAt);
  let toldMs = 0;
  const look = async () => {
    const backlog = await readBacklog(run, kafka);
    const { messages, events } = backlog;
    if (elapsedMs() - toldMs > 5_000) {
      toldMs = elapsedMs();
      options.progress?.(`waiting for ${messages ?? 0} messages and ${events ?? 0} events`);
    }
    return { left: (messages ?? 0) + (events ?? 0), backlog };
  };
  try {
    const { left, backlog } = await waitWhileShrinking(look, { timeoutMs, stallMs, intervalMs: 200, signal });
    return { drained: left === 0, waitedMs: elapsedMs(), backlog };
  } finally {
    await kafka?.close();
  }
}

/** One look at what is under way. @throws Error when a part does not answer. */
export async function readBacklog(run: SystemDescription, kafka: KafkaClient | undefined): Promise<Backlog> {
  // The messages first: what they still cause must be counted as events afterwards.
  const messages = kafka ? await countMessages(kafka) : null;
  const events = run.urls.clickhouse ? await countMissingEvents(run.dsn.admin, run.urls.clickhouse) : null;
  return { messages, events };
}

async function countMessages(kafka: KafkaClient): Promise<number> {
  const sources = await kafka.groupLag(consumerGroup, sourceTopics);
  const retries = await kafka.groupLag(retryGroup(consumerGroup), retryTopics);
  return sources.concat(retries).reduce((sum, { lag }) => sum + Number(lag), 0);
}

async function countMissingEvents(dsn: string, clickhouse: string): Promise<number> {
  const atSource = await withClient(dsn, async (client) => {
    const { rows } = await client.query<{ n: string }>('select count(*) as n from outbox');
    return Number(rows[0]!.n);
  });
  const client = createClient({ url: clickhouse, request_timeout: 30_000 });
  try {
    return Math.max(0, atSource - (await countSunkEvents(client)));
  } finally {
    await client.close();
  }
}

/** Events that a query finds, copies counted once; none before the sink has made its tables. */
export async function countSunkEvents(client: ClickHouseClient): Promise<number> {
  return countBy(client, 'uniqExact(event_id)');
}

/** As `countSunkEvents` with copies counted, which ClickHouse knows without reading a row. */
export async function countSunkRows(client: ClickHouseClient): Promise<number> {
  return countBy(client, 'count()');
}

async function countBy(client: ClickHouseClient, aggregate: string): Promise<number> {
  try {
    const result = await client.query({ query: `select ${aggregate} as n from events`, format: 'JSONEachRow' });
    const [row] = await result.json<{ n: string }>();
    return Number(row?.n ?? 0);
  } catch (error) {
    if (error instanceof ClickHouseError && error.type === 'UNKNOWN_TABLE') return 0;
    throw error;
  }
}

/** A client for the lab's own commands, which say themselves what went wrong. */
export function createLabKafka(brokers: readonly string[]): KafkaClient {
  return createKafkaClient({ brokers, clientId: 'lab', logger: pino({ level: 'silent' }) });
}
