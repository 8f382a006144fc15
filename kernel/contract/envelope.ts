import { z } from 'zod';
import { toJson } from '../http/envelope.ts';
import { ContractError, parseMessage, shown } from './contract-error.ts';
import { accountEventKinds, disputeEventKinds, orderEventKinds, paymentEventKinds, transferKinds } from './status.ts';

export const envelopeVersion = 1;

const aggregateTypes = ['order', 'dispute', 'payment', 'account', 'transfer', 'posting'] as const;
export type AggregateType = (typeof aggregateTypes)[number];

/** Every `type` that an event of the outbox can have: `<aggregate_type>.<kind>`. */
export const eventTypes: readonly string[] = [
  ...orderEventKinds.map((kind) => `order.${kind}`),
  ...disputeEventKinds.map((kind) => `dispute.${kind}`),
  ...paymentEventKinds.map((kind) => `payment.${kind}`),
  ...accountEventKinds.map((kind) => `account.${kind}`),
  ...transferKinds.map((kind) => `transfer.${kind}`),
  'posting.posted',
];

/** The topic that carries an aggregate's events; the key of its messages is the user. */
export const domainTopics: Readonly<Record<AggregateType, string>> = {
  order: 'domain.orders',
  dispute: 'domain.disputes',
  payment: 'domain.payments',
  account: 'domain.accounts',
  transfer: 'domain.transfers',
  posting: 'domain.postings',
};

const sequence = z
  .union([z.int().positive(), z.string().regex(/^[1-9][0-9]{0,18}$/, 'must be digits only')])
  .transform((value) => BigInt(value))
  .meta({ description: "The event's number within its aggregate: an integer in the safe range or a digit string." });

/** What leaves the outbox: the value of a message on a `domain.*` topic, and what both CDC engines hand to the sink. */
export const eventEnvelope = z
  .strictObject({
    event_id: z.uuid().meta({ description: 'UUIDv7 of the event: the key under which copies are recognised.' }),
    type: z.string().meta({ description: 'As in order.webhook_received.', enum: [...eventTypes] }),
    version: z.literal(envelopeVersion),
    aggregate_type: z.enum(aggregateTypes),
    aggregate_id: z
      .string()
      .min(1)
      .meta({ description: 'order_id, dispute_id or transfer_id; account_id of accounts and of postings.' }),
    user_id: z.string().min(1),
    sequence,
    occurred_at: z.iso.datetime({ offset: true }).meta({ description: 'RFC 3339, as the database wrote it.' }),
    payload: z.record(z.string(), z.unknown()).meta({
      description: "The event's data. Amounts are integers of minor units in the safe range or digit strings.",
    }),
  })
  .meta({ title: 'Domain event of the payments scaling lab' });

/** In memory `sequence` is a bigint; amounts in `payload` stay as JSON carries them. */
export type EventEnvelope = z.output<typeof eventEnvelope>;

/**
 * An envelope whose payload is still the JSON text that the database wrote. The native engine and the sink pass it on
 * without parsing: with tens of thousands of events a second, parsing and writing again would be most of the work.
 */
export type EnvelopeText = Omit<EventEnvelope, 'payload'> & { payload: string };

/** When an event passed each stage, in Unix ms; what a source does not know is left out. */
export interface StageTimes {
  /** The provider's own time of the change. */
  sentAtMs?: number;
  /** The gateway or the API took the webhook. */
  acceptedAtMs?: number;
  /** COMMIT of the outbox row. */
  committedAtMs?: number;
  /** The engine had it from the WAL. */
  readAtMs?: number;
  /** Kafka's time of the message; absent with the native engine. */
  publishedAtMs?: number;
}

/** JSON text of an envelope. */
export function serializeEnvelope(envelope: EventEnvelope): string {
  return toJson(envelope);
}

/** JSON text of an envelope whose payload is text already. */
export function serializeEnvelopeText({ payload, ...rest }: EnvelopeText): string {
  return `${toJson(rest).slice(0, -1)},"payload":${payload}}`;
}

/** @throws ContractError malformed_json, wrong_version, unknown_type or invalid. */
export function parseEnvelope(text: string): EventEnvelope {
  return checkEnvelope(parseMessage(text));
}

/** The envelope in a parsed message. @throws ContractError wrong_version, unknown_type or invalid. */
export function checkEnvelope(message: Record<string, unknown>): EventEnvelope {
  if (message.version !== envelopeVersion) {
    throw new ContractError('wrong_version', `version is ${shown(message.version)}; known is ${envelopeVersion}.`);
  }
  if (typeof message.type !== 'string' || !eventTypes.includes(message.type)) {
    throw new ContractError('unknown_type', `type is ${shown(message.type)}; known are ${eventTypes.join(', ')}.`);
  }
  const result = eventEnvelope.safeParse(message);
  if (!result.success) throw new ContractError('invalid', z.prettifyError(result.error));
  return result.data;
}

/** An envelope with its payload as text, for a sink. @throws ContractError invalid, where it is nested too deep for that. */
export function envelopeText(envelope: EventEnvelope): EnvelopeText {
  try {
    return { ...envelope, payload: toJson(envelope.payload) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ContractError('invalid', 'payload is nested too deep.');
  }
}
