import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { ContractError, type ContractProblem } from './contract-error.ts';
import {
  type EventEnvelope,
  envelopeText,
  eventTypes,
  parseEnvelope,
  serializeEnvelope,
  serializeEnvelopeText,
} from './envelope.ts';
import { contractJsonSchema, contractNames, schemaUrl } from './json-schemas.ts';

const envelope: EventEnvelope = {
  event_id: '019a2b3c-4d5e-7f60-8123-456789abcdef',
  type: 'order.webhook_received',
  version: 1,
  aggregate_type: 'order',
  aggregate_id: 'o-1',
  user_id: 'u-1',
  sequence: 3n,
  occurred_at: '2026-01-31T12:00:00.123456Z',
  payload: { amount_minor: '9007199254740993', currency: 'EUR', meta: { note: 'ö "quoted" \n' } },
};

test.each(contractNames)('the committed schema of %s is what npm run generate:schemas would write', (name) => {
  expect(JSON.parse(readFileSync(schemaUrl(name), 'utf8'))).toEqual(JSON.parse(contractJsonSchema(name)));
});

test.each([1n, 9_007_199_254_740_991n, 9_007_199_254_740_993n, 9_223_372_036_854_775_807n])(
  'sequence %d survives the topic',
  (sequence) => {
    const text = serializeEnvelope({ ...envelope, sequence });
    expect(parseEnvelope(text)).toEqual({ ...envelope, sequence });
    const validate = new Ajv2020({ validateFormats: false }).compile(JSON.parse(contractJsonSchema('event-envelope')));
    expect(validate(JSON.parse(text)), JSON.stringify(validate.errors)).toBe(true);
  },
);

test('a payload that is text already is written as it is', () => {
  const payload = '{"amount_minor": 12345678901234567890, "currency": "EUR"}';
  expect(serializeEnvelopeText({ ...envelope, payload })).toContain('"payload":{"amount_minor": 12345678901234567890');
  expect(parseEnvelope(serializeEnvelopeText(envelopeText(envelope)))).toEqual(envelope);
});

test.each<[string, string, ContractProblem]>([
  ['no JSON', 'order', 'malformed_json'],
  ['a truncated message', serializeEnvelope(envelope).slice(0, -1), 'malformed_json'],
  ['a list', '[]', 'malformed_json'],
  ['null', 'null', 'malformed_json'],
  ['another version', change({ version: 2 }), 'wrong_version'],
  ['no version', change({ version: undefined }), 'wrong_version'],
  ['the version as text', change({ version: '1' }), 'wrong_version'],
  ['another type', change({ type: 'order.deleted' }), 'unknown_type'],
  ['a number as type', change({ type: 7 }), 'unknown_type'],
  ['no event id', change({ event_id: undefined }), 'invalid'],
  ['a bad event id', change({ event_id: '1' }), 'invalid'],
  ['sequence 0', change({ sequence: 0 }), 'invalid'],
  ['a sequence beyond the safe integers', change({ sequence: 2 ** 60 }), 'invalid'],
  ['a fraction as sequence', change({ sequence: 1.5 }), 'invalid'],
  ['a time without offset', change({ occurred_at: '2026-01-31 12:00:00' }), 'invalid'],
  ['a payload that is text', change({ payload: '{}' }), 'invalid'],
  ['a field that is not in the contract', change({ extra: 1 }), 'invalid'],
])('%s is refused with the reason', (_name, text, reason) => {
  const error = caught(() => parseEnvelope(text));
  expect(error).toBeInstanceOf(ContractError);
  expect(error).toMatchObject({ reason, message: expect.stringMatching(/\S/) });
});

// Deep enough that JSON.parse reads it and JSON.stringify runs out of stack.
const nested = '['.repeat(100_000) + ']'.repeat(100_000);

test.each<[string, string, ContractProblem]>([
  ['version', `{"version":${nested}}`, 'wrong_version'],
  ['type', `{"version":1,"type":${nested}}`, 'unknown_type'],
  ['payload', serializeEnvelopeText({ ...envelope, payload: `{"a":${nested}}` }), 'invalid'],
])('a %s that is nested too deep is refused with the reason, and is no other error', (_name, text, reason) => {
  const error = caught(() => envelopeText(parseEnvelope(text)));
  expect(error).toBeInstanceOf(ContractError);
  expect(error).toMatchObject({ reason });
});

test('every type belongs to an aggregate', () => {
  expect(
    eventTypes.filter((type) => !/^(order|dispute|payment|account|transfer|posting)\.[a-z_]+$/.test(type)),
  ).toEqual([]);
  expect(eventTypes).toContain('dispute.evidence_submitted');
  expect(eventTypes).toContain('transfer.top_up');
});

function change(fields: Record<string, unknown>): string {
  return JSON.stringify({ ...JSON.parse(serializeEnvelope(envelope)), ...fields });
}

function caught(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}
