import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ContractError, type ContractProblem } from './contract-error.ts';
import { contractJsonSchema } from './json-schemas.ts';
import { attemptStates, operationStates, type PaymentReport } from './payment.ts';
import { parseReceived, serializeReceived } from './received.ts';
import { disputeStatuses, orderStatuses } from './status.ts';
import type { ContractEvent, ReceivedWebhook } from './webhooks.ts';

const name = fc.string({ minLength: 1, maxLength: 40, unit: 'binary' });
const date = fc.date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
const amountMinor = fc.bigInt({ min: 1n, max: 9_223_372_036_854_775_807n });
const meta = fc.dictionary(name, fc.jsonValue({ maxDepth: 3 })).map((value) => JSON.parse(JSON.stringify(value)));
const identified = { providerEventId: name, fingerprint: fc.option(fc.string(), { nil: null }) };

function nullable<Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> {
  return fc.option(arbitrary, { nil: null });
}

const payment: fc.Arbitrary<PaymentReport> = fc.record({
  attempt: nullable(name),
  namesAttempt: fc.boolean(),
  state: nullable(fc.constantFrom(...attemptStates)),
  amountMinor: nullable(amountMinor),
  currency: nullable(fc.string()),
  capturedMinor: nullable(amountMinor),
  isFullyCaptured: fc.boolean(),
  refundedMinor: nullable(amountMinor),
  operations: fc.array(
    fc.record({
      kind: fc.constantFrom('capture' as const, 'refund' as const),
      reference: name,
      state: fc.constantFrom(...operationStates),
      amountMinor: nullable(amountMinor),
    }),
    { maxLength: 3 },
  ),
  closes: fc.boolean(),
});

const event: fc.Arbitrary<ContractEvent> = fc.oneof(
  fc.record({
    ...identified,
    target: fc.constant('order' as const),
    orderId: name,
    userId: nullable(name),
    status: fc.constantFrom(...orderStatuses),
    attemptReference: nullable(name),
    payment: nullable(payment),
    introduces: fc.boolean(),
    amountMinor: fc.option(amountMinor, { nil: null }),
    currency: fc.option(name, { nil: null }),
    providerUpdatedAt: date,
    meta,
  }),
  fc.record({
    ...identified,
    target: fc.constant('dispute' as const),
    disputeId: name,
    orderId: name,
    userId: nullable(name),
    attemptReference: nullable(name),
    funds: nullable(fc.constantFrom('withdrawn' as const, 'reinstated' as const)),
    overrules: fc.boolean(),
    kind: fc.constantFrom('webhook_opened' as const, 'webhook_updated' as const, 'provider_decision' as const),
    status: fc.constantFrom(...disputeStatuses),
    reason: fc.string(),
    amountMinor,
    currency: name,
    providerUpdatedAt: date,
    evidenceDueAt: fc.option(date, { nil: null }),
    meta,
  }),
  fc.record({ ...identified, target: fc.constant('none' as const), type: fc.string() }),
);

const received: fc.Arbitrary<ReceivedWebhook> = fc.record({
  provider: name,
  event,
  bodySha256: fc.string({ minLength: 64, maxLength: 64, unit: fc.constantFrom(...'0123456789abcdef') }),
  body: fc.string({ unit: 'binary' }),
  receivedAt: date,
  requestId: fc.string(),
  isReleased: fc.constant(false),
});

const validate = new Ajv2020({ validateFormats: false }).compile(JSON.parse(contractJsonSchema('received-webhook')));

test('every webhook comes out of the topic as it went in, and fits the committed schema', () => {
  fc.assert(
    fc.property(received, (webhook) => {
      const text = serializeReceived(webhook);
      expect(parseReceived(text)).toEqual(webhook);
      expect(validate(JSON.parse(text)), JSON.stringify(validate.errors)).toBe(true);
    }),
    { numRuns: 300, seed: 4 },
  );
});

const sample: ReceivedWebhook = {
  provider: 'silvergate',
  event: {
    target: 'order',
    providerEventId: 'e-1',
    fingerprint: null,
    orderId: 'o-1',
    userId: 'u-1',
    status: 'created',
    attemptReference: null,
    payment: null,
    introduces: true,
    amountMinor: 9_007_199_254_740_993n,
    currency: 'EUR',
    providerUpdatedAt: new Date('2026-01-31T12:00:00.123Z'),
    meta: {},
  },
  bodySha256: 'a'.repeat(64),
  body: '{"a": 1}',
  receivedAt: new Date('2026-01-31T12:00:01Z'),
  requestId: 'r-1',
  isReleased: false,
};

const nested = '['.repeat(100_000) + ']'.repeat(100_000);

test.each<[string, string, ContractProblem]>([
  ['no JSON', '\u0000', 'malformed_json'],
  ['a truncated message', serializeReceived(sample).slice(0, -2), 'malformed_json'],
  ['another version', change({ version: 3 }), 'wrong_version'],
  ['no version', change({ version: undefined }), 'wrong_version'],
  ['another type', change({ type: 'webhook.payment' }), 'unknown_type'],
  // Deep enough that JSON.parse reads it and JSON.stringify runs out of stack.
  ['a version that is nested too deep', `{"version":${nested}}`, 'wrong_version'],
  ['a type that is nested too deep', `{"version":2,"type":${nested}}`, 'unknown_type'],
  ['an event of another type', change({ type: 'webhook.dispute' }), 'invalid'],
  ['a hash that is none', change({ body_sha256: 'x' }), 'invalid'],
  ['no time', change({ received_at: null }), 'invalid'],
  ['an amount in floating point', changeEvent({ amount_minor: 1.5 }), 'invalid'],
  ['a status that is not in the contract', changeEvent({ status: 'gone' }), 'invalid'],
])('%s is refused with the reason', (_name, text, reason) => {
  const error = caught(() => parseReceived(text));
  expect(error).toBeInstanceOf(ContractError);
  expect(error).toMatchObject({ reason, message: expect.stringMatching(/\S/) });
});

function change(fields: Record<string, unknown>): string {
  return JSON.stringify({ ...JSON.parse(serializeReceived(sample)), ...fields });
}

function changeEvent(fields: Record<string, unknown>): string {
  const message = JSON.parse(serializeReceived(sample));
  return JSON.stringify({ ...message, event: { ...message.event, ...fields } });
}

function caught(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

test('what a gateway of the former version has left in the topic is read as it was meant', () => {
  const { attempt_reference, payment, ...former } = JSON.parse(serializeReceived(sample)).event;
  expect([attempt_reference, payment]).toEqual([null, null]);
  expect(parseReceived(change({ version: 1, event: former }))).toEqual(sample);
});
