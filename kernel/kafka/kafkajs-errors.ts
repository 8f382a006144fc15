import { within } from '../wait.ts';
import { KafkaError } from './port.ts';

/** The protocol's name of what went wrong, as in `MESSAGE_TOO_LARGE`, wherever kafkajs has wrapped it. */
export function protocolError(error: unknown): string | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    const { type, errors } = current as Error & { type?: unknown; errors?: unknown[] };
    if (typeof type === 'string') return type;
    if (Array.isArray(errors) && errors.length > 0) return protocolError(errors[0]);
  }
  return undefined;
}

/** Errors by which the broker says that this member of the group is none any more. */
export function isExpelled(error: unknown): boolean {
  const type = protocolError(error);
  return type === 'UNKNOWN_MEMBER_ID' || type === 'ILLEGAL_GENERATION' || type === 'FENCED_INSTANCE_ID';
}

/** Errors of a broker that has just started, or of a group whose coordinator moves: they pass by themselves. */
const transient = new Set([
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
  'REQUEST_TIMED_OUT',
]);

export function isTransient(error: unknown): boolean {
  return transient.has(protocolError(error) ?? '');
}

/** Errors after which repeating the same messages can't help. */
const hopeless = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'INVALID_TOPIC_EXCEPTION',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  'POLICY_VIOLATION',
]);

export function isHopeless(error: unknown): boolean {
  return hopeless.has(protocolError(error) ?? '');
}

/** Errors by which the broker says that it does not know the producer's id, or expected another sequence number. */
const producerForgotten = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'DUPLICATE_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_ID_MAPPING',
  'INVALID_PRODUCER_EPOCH',
]);

export function isProducerForgotten(error: unknown): boolean {
  return producerForgotten.has(protocolError(error) ?? '');
}

/** Any failure in the port's words. */
export function toKafkaError(error: unknown): KafkaError {
  if (error instanceof KafkaError) return error;
  const type = protocolError(error);
  const message = error instanceof Error ? error.message : String(error);
  const options = { cause: error };
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return new KafkaError('unknown_topic', message, options);
  if (type === 'MESSAGE_TOO_LARGE') return new KafkaError('message_too_large', message, options);
  // Without the broker's word on it, the broker was not heard.
  if (type === undefined) return new KafkaError('broker_unavailable', message, options);
  return new KafkaError('failed', `${type}: ${message}`, options);
}

/** Fails with `broker_unavailable` when the work takes longer. The work itself goes on. */
export function answerWithin<T>(timeoutMs: number, work: Promise<T>, what: string): Promise<T> {
  const text = `${what}: no answer from the broker within ${timeoutMs} ms.`;
  return within(timeoutMs, work, () => new KafkaError('broker_unavailable', text));
}
