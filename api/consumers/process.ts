import type { Logger } from 'pino';
import { ContractError } from '../../kernel/contract/contract-error.ts';
import { type Failure, readFailure } from '../../kernel/contract/failure-headers.ts';
import { movedMessage, sendMoved } from '../../kernel/contract/moved-message.ts';
import { parseReceived } from '../../kernel/contract/received.ts';
import { deadLetterTopic, retryTopic } from '../../kernel/contract/topics.ts';
import type { ReceivedWebhook } from '../../kernel/contract/webhooks.ts';
import { AppError } from '../../kernel/http/errors.ts';
import type { KafkaMessage, OutgoingMessage, Producer } from '../../kernel/kafka/port.ts';
import type { Metrics } from '../../kernel/metrics.ts';
import { isTransient, sqlState } from '../../kernel/postgres/errors.ts';
import type { ApplyResult } from '../webhooks/apply.ts';
import { maxAttempts, retryPauseMs } from './backoff.ts';
import type { StoreGate } from './store-gate.ts';

export interface ProcessDependencies {
  /** `applyWebhooks`: one result per webhook, after COMMIT. */
  apply(batch: readonly ReceivedWebhook[]): Promise<ApplyResult[]>;
  producer: Pick<Producer, 'send'>;
  store: StoreGate;
  metrics: Metrics;
  logger: Logger;
  /** Most webhooks of one transaction. */
  maxBatch: number;
  /** Larger messages are dead letters: nothing that the gateway accepts becomes so large. */
  maxMessageBytes: number;
  now: () => Date;
  /** Uniform in [0, 1). */
  random: () => number;
}

/** A message with what its headers say about earlier attempts. */
interface Item {
  message: KafkaMessage;
  failure: Failure;
}

interface Readable extends Item {
  webhook: ReceivedWebhook;
}

/**
 * Applies messages of one partition in their order. Resolves when each of them has had its effect, or lies in a retry
 * or dead-letter topic: only then may the caller commit their offsets. Everything it does may be repeated.
 * @throws KafkaError when the broker does not take what has to move on, the signal's reason when it is aborted.
 */
export async function processMessages(
  dependencies: ProcessDependencies,
  where: { topic: string; partition: number },
  messages: readonly KafkaMessage[],
  signal: AbortSignal,
): Promise<void> {
  const moved: OutgoingMessage[] = [];
  const readable: Readable[] = [];
  for (const message of messages) {
    const item = { message, failure: readFailure(where, message) };
    try {
      readable.push({ ...item, webhook: read(message, dependencies.maxMessageBytes) });
    } catch (error) {
      if (!(error instanceof ContractError || error instanceof OversizedError)) throw error;
      moved.push(deadLetter(dependencies, item, error.reason, error.message));
    }
  }
  for (let start = 0; start < readable.length; start += dependencies.maxBatch) {
    const batch = readable.slice(start, start + dependencies.maxBatch);
    for (const { item, error } of await applyPatiently(dependencies, batch, signal)) {
      moved.push(afterFailure(dependencies, item, error));
    }
  }
  await sendMoved(dependencies.producer, moved);
}

class OversizedError extends Error {
  readonly reason = 'oversized';
}

function read(message: KafkaMessage, maxBytes: number): ReceivedWebhook {
  const bytes = message.value?.length ?? 0;
  if (bytes > maxBytes) throw new OversizedError(`The message has ${bytes} bytes; at most ${maxBytes} are read.`);
  // A tombstone has no value; the text makes the parser say so.
  return parseReceived(message.value?.toString('utf8') ?? '');
}

/** Applies a batch, and repeats for as long as it takes what the store is at fault for. @returns what failed for itself. */
async function applyPatiently(
  dependencies: ProcessDependencies,
  batch: readonly Readable[],
  signal: AbortSignal,
): Promise<{ item: Readable; error: unknown }[]> {
  const failed: { item: Readable; error: unknown }[] = [];
  let remaining = batch;
  for (;;) {
    const results = await dependencies.apply(remaining.map((item) => item.webhook));
    const unreached: Readable[] = [];
    for (const [index, item] of remaining.entries()) {
      const result = results[index]!;
      if (!('error' in result)) countApplied(dependencies, item, result);
      else if (isTransient(result.error) || isRefusedForNow(result.error)) unreached.push(item);
      else failed.push({ item, error: result.error });
    }
    if (unreached.length === 0) return failed;
    remaining = unreached;
    await dependencies.store.untilBack(signal);
  }
}

/** The group commit of a worker takes webhooks over HTTP too, and was full of them. */
function isRefusedForNow(error: unknown): boolean {
  return error instanceof AppError && error.code === 'rate_limited';
}

function countApplied(
  { metrics, now }: ProcessDependencies,
  { webhook, failure }: Readable,
  { outcome }: Exclude<ApplyResult, { error: unknown }>,
): void {
  metrics.webhooks.inc({ provider: webhook.provider, verdict: outcome.verdict });
  metrics.consumedMessages.inc({ topic: failure.source.topic, outcome: 'applied' });
  metrics.stageDuration.observe(
    { stage: 'accepted_to_committed' },
    Math.max(0, now().getTime() - webhook.receivedAt.getTime()) / 1000,
  );
}

/** Another attempt, later, or a dead letter when there were enough of them. */
function afterFailure(dependencies: ProcessDependencies, item: Readable, error: unknown): OutgoingMessage {
  const { logger, metrics, now, random } = dependencies;
  const { source, attempts: before } = item.failure;
  const attempts = before + 1;
  // The database's own words may quote the webhook's values. They stay in the log.
  const state = sqlState(error);
  const detail = state ? `The database refused it (SQLSTATE ${state}).` : `It could not be applied (${nameOf(error)}).`;
  logger.warn({ err: error, source, attempts, event: item.webhook.event.providerEventId }, 'webhook failed');
  if (attempts >= maxAttempts) return deadLetter(dependencies, item, 'attempts_exhausted', detail, attempts);
  metrics.consumedMessages.inc({ topic: source.topic, outcome: 'retry' });
  const nowMs = now().getTime();
  return movedMessage(retryTopic(source.topic), item.message, {
    source,
    attempts,
    reason: 'failed',
    detail,
    failedAtMs: nowMs,
    retryAtMs: nowMs + retryPauseMs(attempts, random),
  });
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}

function deadLetter(
  { logger, metrics, now }: ProcessDependencies,
  { message, failure }: Item,
  reason: string,
  detail: string,
  attempts = failure.attempts,
): OutgoingMessage {
  const { source } = failure;
  logger.error({ source, reason, attempts }, 'message became a dead letter');
  metrics.consumedMessages.inc({ topic: source.topic, outcome: 'dead_letter' });
  metrics.deadLetters.inc({ topic: source.topic, reason });
  return movedMessage(deadLetterTopic(source.topic), message, {
    source,
    attempts,
    retryAtMs: null,
    reason,
    detail,
    failedAtMs: now().getTime(),
  });
}
