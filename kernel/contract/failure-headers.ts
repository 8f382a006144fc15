import type { KafkaMessage } from '../kafka/port.ts';
import { sourceTopic } from './topics.ts';

/** Where a message of a retry or dead-letter topic comes from, and why it is there. All of it travels in headers. */
export interface Failure {
  /** Topic, partition and offset of the message as it first came. */
  source: { topic: string; partition: number; offset: string };
  /** How often it was tried to apply the message. */
  attempts: number;
  /** Unix ms before which it makes no sense to try again; null in a dead-letter topic. */
  retryAtMs: number | null;
  /** One word for counting, as in `malformed_json`. */
  reason: string;
  /** A sentence for the operator who looks into it. */
  detail: string;
  failedAtMs: number;
}

const names = {
  topic: 'source-topic',
  partition: 'source-partition',
  offset: 'source-offset',
  attempts: 'attempts',
  retryAt: 'retry-at-ms',
  reason: 'reason',
  detail: 'reason-detail',
  failedAt: 'failed-at-ms',
} as const;

const detailMaxCharacters = 500;

/** The headers of a message that moves on because of `failure`; what it carried before, as its ids, stays. */
export function failureHeaders(before: Readonly<Record<string, string>>, failure: Failure): Record<string, string> {
  const { [names.retryAt]: _former, ...kept } = before;
  return {
    ...kept,
    [names.topic]: failure.source.topic,
    [names.partition]: String(failure.source.partition),
    [names.offset]: failure.source.offset,
    [names.attempts]: String(failure.attempts),
    ...(failure.retryAtMs !== null && { [names.retryAt]: String(Math.round(failure.retryAtMs)) }),
    [names.reason]: failure.reason,
    [names.detail]: failure.detail.slice(0, detailMaxCharacters),
    [names.failedAt]: String(Math.round(failure.failedAtMs)),
  };
}

/**
 * What the headers of a message say. For one that comes from its source topic, or whose headers a client spoilt, the
 * attempts are 0, and partition and offset are those where it lies now. The topic follows from where it lies, whatever
 * the headers say: what is put aside again must not go to a topic that does not exist.
 */
export function readFailure(where: { topic: string; partition: number }, message: KafkaMessage): Failure {
  const { headers } = message;
  const topic = sourceTopic(where.topic);
  const attempts = wholeNumber(headers[names.attempts]);
  const partition = wholeNumber(headers[names.partition]);
  const offset = headers[names.offset] ?? '';
  const known =
    attempts !== undefined && partition !== undefined && headers[names.topic] === topic && /^\d{1,19}$/.test(offset);
  return {
    source: known
      ? { topic, partition, offset }
      : { topic, partition: where.partition, offset: message.offset.toString() },
    attempts: known ? attempts : 0,
    retryAtMs: wholeNumber(headers[names.retryAt]) ?? null,
    reason: headers[names.reason] ?? '',
    detail: headers[names.detail] ?? '',
    failedAtMs: wholeNumber(headers[names.failedAt]) ?? message.timestampMs,
  };
}

/** The headers without what `failureHeaders` added, for a message that goes back to its source topic. */
export function withoutFailure(headers: Readonly<Record<string, string>>): Record<string, string> {
  const added: readonly string[] = Object.values(names);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !added.includes(name)));
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
