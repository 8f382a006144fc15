import { expect, test } from 'vitest';
import type { Answer } from '../../kernel/http/call-provider.ts';
import { chargeOutcome, refundOutcome } from './exchange.ts';

const request = { key: 'p', amountMinor: 100n, currency: 'EUR' };
const paid = { key: 'p', reference: 'crd_1', status: 'captured', amount_minor: '100', currency: 'EUR' };
const ok = (changes: object = {}): Answer => ({ kind: 'ok', body: { ...paid, ...changes } });

test.each<[string, Answer | undefined, object]>([
  ['captured', ok(), { status: 'completed', reference: 'crd_1' }],
  ['declined', ok({ status: 'declined' }), { status: 'declined', reason: 'declined' }],
  ['canceled before it came', ok({ status: 'canceled', amount_minor: '0', currency: 'XXX' }), { status: 'canceled' }],
  ['refused', { kind: 'rejected', status: 422 }, { status: 'declined', reason: 'rejected_422' }],
  ['wrong credentials', { kind: 'rejected', status: 401 }, { status: 'unknown', reason: 'status 401' }],
  ['not there', { kind: 'not_found' }, { status: 'absent' }],
  ['no answer', { kind: 'unknown', reason: 'timed out' }, { status: 'unknown', reason: 'timed out' }],
  ['kept away', undefined, { status: 'away' }],
  ['another payment', ok({ key: 'q' }), { status: 'unknown', reason: 'the answer is about another payment' }],
  ['another amount', ok({ amount_minor: '101' }), { status: 'unknown', reason: 'the answer is about another amount' }],
  ['another currency', ok({ currency: 'USD' }), { status: 'unknown', reason: 'the answer is about another amount' }],
  ['an unknown state', ok({ status: 'paid' }), { status: 'unknown', reason: 'the answer could not be read' }],
])('%s', (_what, answer, outcome) => {
  expect(chargeOutcome(request, answer)).toEqual(outcome);
});

test('a refund of another payment says nothing', () => {
  const body = { ...paid, key: 'r', payment_key: 'other', status: 'refunded' };
  expect(refundOutcome({ ...request, key: 'r', paymentKey: 'p' }, { kind: 'ok', body })).toMatchObject({
    status: 'unknown',
  });
});
