import { expect, test } from 'vitest';
import { factsOf, type NotifiableEvent } from './subjects.ts';

const event = (type: string, payload: Record<string, unknown>, sequence = 2n): NotifiableEvent => ({
  eventId: 'e',
  type,
  aggregateId: 'a',
  sequence,
  payload,
});
const keys = (...given: Parameters<typeof event>) => factsOf(event(...given)).map(({ type, key }) => [type, key]);
const order = (after: object) => keys('order.webhook_received', { after });

test('an order is paid once, whichever of its events says so', () => {
  expect(order({ status: 'updated', amount_minor: 5 })).toEqual([]);
  expect(order({ status: 'success', amount_minor: 5 })).toEqual([['order.paid', 'a']]);
  expect(order({ status: 'success', amount_minor: 5, refunded_minor: 0 })).toEqual([['order.paid', 'a']]);
});

test('each sum that was given back is told once', () => {
  const refunded = (refunded_minor: number | string) => order({ status: 'updated', amount_minor: 9, refunded_minor });
  expect(refunded(3)).toEqual([['order.refunded', 'a 3']]);
  expect(refunded('9007199254740993')).toEqual([['order.refunded', 'a 9007199254740993']]);
  expect(refunded('0')).toEqual([]);
  expect(refunded('3; drop table orders')).toEqual([]);
});

test('the first event of a dispute opens it, and its final states are told, an overruling one too', () => {
  const dispute = (kind: string, status: string, sequence: bigint) =>
    keys(`dispute.${kind}`, { order_id: 'o', after: { status } }, sequence);
  expect(dispute('webhook_opened', 'open', 1n)).toEqual([['dispute.opened', 'a']]);
  expect(dispute('webhook_opened', 'open', 2n)).toEqual([]);
  expect(dispute('webhook_updated', 'under_review', 2n)).toEqual([]);
  expect(dispute('provider_decision', 'lost', 3n)).toEqual([['dispute.closed', 'a lost']]);
  expect(dispute('provider_decision', 'won', 4n)).toEqual([['dispute.closed', 'a won']]);
  expect(dispute('provider_decision', 'won', 1n)).toEqual([
    ['dispute.opened', 'a'],
    ['dispute.closed', 'a won'],
  ]);
});

test('each event of a payment that is told counts for itself', () => {
  const after = { status: 'partially_refunded', amount_minor: 9, refunded_minor: 4, currency: 'EUR' };
  const told = factsOf(event('payment.refunded', { after }));
  expect(told).toEqual([
    {
      type: 'payment.refunded',
      key: 'e',
      data: { payment_id: 'a', amount_minor: 9, refunded_minor: 4, currency: 'EUR' },
    },
  ]);
  expect(keys('payment.completed', { after })).toEqual([['payment.completed', 'e']]);
  expect(keys('payment.processing', { after })).toEqual([]);
  expect(keys('transfer.transfer', { amount_minor: 5 })).toEqual([['transfer.completed', 'a']]);
  expect(keys('transfer.top_up', { amount_minor: 5 })).toEqual([]);
});

test.each([undefined, null, 'text', 5, []])('an event whose state is %s tells nothing', (after) => {
  expect(keys('order.webhook_received', { after })).toEqual([]);
});
