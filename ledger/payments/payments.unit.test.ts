import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AppError } from '../../kernel/http/errors.ts';
import { ContradictionError, decide, type PaymentCommand } from './decide.ts';
import { fold, foldAll } from './fold.ts';
import type { PaymentEvent, PaymentFact, PaymentState } from './rows.ts';

const createdAt = new Date('2026-01-31T12:00:00Z');

function eventOf(fact: PaymentFact, sequence: bigint): PaymentEvent {
  return { ...fact, payment_id: 'p', user_id: 'u', event_id: `e${sequence}`, sequence, created_at: createdAt };
}

function created(amountMinor = 1_000n): PaymentEvent {
  const data = {
    account_id: 'a',
    hold_id: 'h',
    amount_minor: amountMinor,
    currency: 'EUR',
    provider: 'card',
    failover: true,
    reference: null,
    expires_at: '2026-01-31T13:00:00.000Z',
  } as const;
  return eventOf({ kind: 'created', data }, 1n);
}

function after(...commands: PaymentCommand[]): PaymentState {
  return commands.reduce(run, fold(undefined, created()));
}

function run(state: PaymentState, command: PaymentCommand): PaymentState {
  return decide(state, command).reduce((last, fact) => fold(last, eventOf(fact, last.payment.sequence + 1n)), state);
}

const begin: PaymentCommand = { type: 'begin', provider: 'card' };
const complete: PaymentCommand = { type: 'complete', reference: 'crd_1', transferId: 't' };
const refund = (refundId: string, amountMinor?: bigint): PaymentCommand => {
  return { type: 'request_refund', refundId, amountMinor, reason: null };
};
const completeRefund = (refundId: string): PaymentCommand => {
  return { type: 'complete_refund', refundId, reference: `rf_${refundId}`, transferId: 't' };
};

test('pending, processing, completed, partially refunded, refunded', () => {
  const states = [
    after(),
    after(begin),
    after(begin, complete),
    after(begin, complete, refund('r1', 400n)),
    after(begin, complete, refund('r1', 400n), completeRefund('r1')),
    after(begin, complete, refund('r1', 400n), completeRefund('r1'), refund('r2'), completeRefund('r2')),
  ];
  expect(
    states.map(({ payment }) => [payment.status, Number(payment.refunding_minor), Number(payment.refunded_minor)]),
  ).toEqual([
    ['pending', 0, 0],
    ['processing', 0, 0],
    ['completed', 0, 0],
    ['completed', 400, 0],
    ['partially_refunded', 0, 400],
    ['refunded', 0, 1_000],
  ]);
});

test('a provider that was chosen stays', () => {
  expect(after(begin, { type: 'begin', provider: 'wallet' }).payment).toMatchObject({
    charged_by: 'card',
    sequence: 2n,
  });
});

test.each<[string, PaymentState, PaymentCommand, string]>([
  ['canceled too late', after(begin), { type: 'cancel' }, 'payment_not_cancelable'],
  ['refunded too early', after(begin), refund('r1'), 'payment_not_refundable'],
  ['refunded after it failed', after(begin, { type: 'fail', reason: 'x' }), refund('r1'), 'payment_not_refundable'],
  ['refunded beyond what was paid', after(begin, complete), refund('r1', 1_001n), 'refund_exceeds_payment'],
  ['refunded twice', after(begin, complete, refund('r1')), refund('r2'), 'refund_exceeds_payment'],
])('%s is refused', (_name, state, command, code) => {
  expect(() => decide(state, command)).toThrow(expect.objectContaining({ code }));
});

test('what a provider says after the opposite was known is a contradiction', () => {
  expect(() => decide(after(begin, complete), { type: 'fail', reason: 'declined' })).toThrow(ContradictionError);
  expect(() => decide(after({ type: 'cancel' }), complete)).toThrow(ContradictionError);
  expect(() => decide(after(begin, complete), { ...complete, reference: 'crd_2' })).toThrow(ContradictionError);
});

test('a refund that the provider refuses can be asked for again', () => {
  const state = after(begin, complete, refund('r1'), { type: 'fail_refund', refundId: 'r1', reason: 'declined' });
  expect(state.refunds).toMatchObject([{ status: 'failed', failure_reason: 'declined' }]);
  expect(run(state, refund('r2')).payment.refunding_minor).toBe(1_000n);
});

const refundIds = ['r1', 'r2', 'r3'];
const commands: fc.Arbitrary<PaymentCommand> = fc.oneof(
  fc.constant(begin),
  fc.constant<PaymentCommand>({ type: 'begin', provider: 'wallet' }),
  fc.constant<PaymentCommand>({ type: 'wait_for_payer', actionUrl: 'https://pay' }),
  fc.constant(complete),
  fc.constant<PaymentCommand>({ type: 'fail', reason: 'declined' }),
  fc.constant<PaymentCommand>({ type: 'cancel' }),
  fc
    .tuple(fc.constantFrom(...refundIds), fc.option(fc.bigInt(1n, 1_200n)))
    .map(([id, amount]) => refund(id, amount ?? undefined)),
  fc.constantFrom(...refundIds).map(completeRefund),
  fc.constantFrom(...refundIds).map((refundId): PaymentCommand => ({ type: 'fail_refund', refundId, reason: 'x' })),
);

test('whatever is asked in whatever order: sums hold, repetitions change nothing, and the events give the same state', () => {
  fc.assert(
    fc.property(fc.array(commands, { maxLength: 25 }), (sequence) => {
      const events = [created()];
      let state = foldAll(events)!;
      for (const command of sequence) {
        // The store makes an id for each refund that is asked for.
        const isKnown = 'refundId' in command && state.refunds.some(({ refund_id }) => refund_id === command.refundId);
        if ('refundId' in command && isKnown === (command.type === 'request_refund')) continue;
        const facts = attempt(state, command);
        for (const fact of facts) {
          events.push(eventOf(fact, BigInt(events.length + 1)));
          state = fold(state, events.at(-1)!);
        }
        if (command.type !== 'request_refund') expect(attempt(state, command)).toEqual([]);
        const { payment, refunds } = state;
        const sum = (status: string) =>
          refunds.filter((row) => row.status === status).reduce((total, row) => total + row.amount_minor, 0n);
        expect([payment.refunded_minor, payment.refunding_minor]).toEqual([sum('completed'), sum('pending')]);
        expect(payment.refunded_minor + payment.refunding_minor).toBeLessThanOrEqual(payment.amount_minor);
      }
      expect(events.filter(({ kind }) => kind === 'completed').length).toBeLessThanOrEqual(1);
      expect(foldAll(JSON.parse(JSON.stringify(events, jsonValue), revived))).toEqual(state);
    }),
    { numRuns: 500 },
  );
});

function attempt(state: PaymentState, command: PaymentCommand): PaymentFact[] {
  try {
    return decide(state, command);
  } catch (error) {
    if (error instanceof AppError || error instanceof ContradictionError) return [];
    throw error;
  }
}

const jsonValue = (_key: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
const revived = (key: string, value: unknown) => {
  if (key === 'sequence') return BigInt(value as string);
  return key === 'created_at' ? new Date(value as string) : value;
};
