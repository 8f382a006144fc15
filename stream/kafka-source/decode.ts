import { ContractError, parseMessage } from '../../kernel/contract/contract-error.ts';
import { checkEnvelope, envelopeText } from '../../kernel/contract/envelope.ts';
import type { KafkaMessage } from '../../kernel/kafka/port.ts';
import type { SinkEvent } from '../sink.ts';
import { decodeDebezium, isFromDebezium } from './debezium.ts';

/** Largest value that is read; the topics hold nothing larger unless an operator changed their settings. */
const maxBytes = 8 * 1024 * 1024;

/**
 * The event in a message of a domain topic; undefined for a tombstone.
 * @throws ContractError for what cannot be read, which belongs into the dead letters.
 */
export function decodeEvent(message: KafkaMessage): SinkEvent | undefined {
  if (message.value === null) return undefined;
  if (message.value.length > maxBytes) {
    throw new ContractError('invalid', `The message has ${message.value.length} bytes; at most ${maxBytes} are read.`);
  }
  if (isFromDebezium(message)) return decodeDebezium(message);
  const given = parseMessage(message.value.toString('utf8'));
  // Connect hands the jsonb column on as text, unless it is told to expand it.
  if (typeof given.payload === 'string') given.payload = parseMessage(given.payload);
  const envelope = checkEnvelope(given);
  const { headers } = message;
  const times = {
    ...at('sentAtMs', headers.sent_at_ms),
    ...at('acceptedAtMs', headers.accepted_at_ms),
    ...at('committedAtMs', headers.committed_at_ms),
    ...at('readAtMs', headers.read_at_ms),
    publishedAtMs: message.timestampMs,
  };
  return { envelope: envelopeText(envelope), times };
}

function at(name: string, text: string | undefined): Record<string, number> {
  return text !== undefined && /^\d{1,15}(\.\d+)?$/.test(text) ? { [name]: Number(text) } : {};
}
