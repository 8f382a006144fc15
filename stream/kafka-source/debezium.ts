import { ContractError, parseMessage } from '../../kernel/contract/contract-error.ts';
import { checkEnvelope, type EnvelopeText, envelopeVersion, type StageTimes } from '../../kernel/contract/envelope.ts';
import { isRawNumber } from '../../kernel/json.ts';
import type { KafkaMessage } from '../../kernel/kafka/port.ts';

/** Whether the message was written by the connector of `connector.json`, and not as an envelope. */
export function isFromDebezium(message: KafkaMessage): boolean {
  return message.headers.source !== undefined;
}

/**
 * The event in a message of the outbox event router. Payload and sequence are as the database wrote them; the times are
 * from Debezium's own headers and from those that the writer put into the row.
 * @throws ContractError for what cannot be read.
 */
export function decodeDebezium(message: KafkaMessage): { envelope: EnvelopeText; times: StageTimes } {
  const { payload, headers, ...columns } = parseMessage(message.value!.toString('utf8'));
  // Connect writes int8 as a JSON number, of which a number of JavaScript holds 53 bits.
  if (isRawNumber(columns.sequence)) columns.sequence = columns.sequence.rawJSON;
  if (typeof payload !== 'string' || !payload.startsWith('{')) {
    throw new ContractError('invalid', 'payload is not the text of a JSON object.');
  }
  // The payload stays text: the database has checked it, and parsing it would be most of the work.
  const envelope = checkEnvelope({ ...columns, version: envelopeVersion, payload: {} });
  const source = parseMessage(message.headers.source!);
  const writer = typeof headers === 'string' ? parseMessage(headers) : {};
  const times: StageTimes = {
    ...at('sentAtMs', writer.sent_at_ms),
    ...at('acceptedAtMs', writer.accepted_at_ms),
    // Rows of the initial load carry the time of the load.
    ...(source.snapshot === 'false' && at('committedAtMs', source.ts_ms)),
    ...at('readAtMs', message.headers.read_at_ms),
    publishedAtMs: message.timestampMs,
  };
  return { envelope: { ...envelope, payload }, times };
}

function at(name: keyof StageTimes, value: unknown): StageTimes {
  const number = Number(value);
  return value !== undefined && Number.isFinite(number) && number > 0 ? { [name]: number } : {};
}
