import type { KafkaMessage, OutgoingMessage, Producer } from '../kafka/port.ts';
import { type Failure, failureHeaders } from './failure-headers.ts';

/** What of a value moves on. Retry and dead-letter topics take it together with the rest of the message. */
const movedValueMaxBytes = 4 * 1024 * 1024 - 128 * 1024;
const movedKeyMaxBytes = 16 * 1024;
const keptHeadersMaxBytes = 64 * 1024;

/** So many of the largest are less than a producer's queue takes. */
const movedTogether = 8;

/** Sends messages that move on, in their order. @throws KafkaError; some may have been sent then. */
export async function sendMoved(producer: Pick<Producer, 'send'>, messages: readonly OutgoingMessage[]): Promise<void> {
  for (let start = 0; start < messages.length; start += movedTogether) {
    await producer.send(messages.slice(start, start + movedTogether));
  }
}

/**
 * The message on its way to a retry or dead-letter topic. It always fits there: a source topic may hold larger ones,
 * since its limit is for what is sent, compressed. One that fitted nowhere would come again for ever and hold its
 * partition up. So of a value that is too large the beginning goes, a key or headers that are too large stay behind.
 */
export function movedMessage(
  topic: string,
  { key, value, headers }: Pick<KafkaMessage, 'key' | 'value' | 'headers'>,
  failure: Failure,
): OutgoingMessage {
  const headersBytes = Object.entries(headers).reduce((sum, header) => sum + Buffer.byteLength(header.join()), 0);
  return {
    topic,
    key: key !== null && Buffer.byteLength(key) > movedKeyMaxBytes ? null : key,
    value: value?.subarray(0, movedValueMaxBytes) ?? null,
    headers: failureHeaders(headersBytes > keptHeadersMaxBytes ? {} : headers, failure),
  };
}
