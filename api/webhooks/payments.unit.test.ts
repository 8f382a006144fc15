import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ContractEvent, ReceivedWebhook } from '../../kernel/contract/webhooks.ts';
import { adyen } from '../../kernel/providers/adyen.ts';
import { stripe } from '../../kernel/providers/stripe.ts';
import { carry, nothing } from '../../test/webhooks/carry.ts';
import { disputeLives, orderLives, type ShownOrder } from '../../test/webhooks/payment-lives.ts';
import { authorise, charge, type ProviderEvent } from '../../test/webhooks/provider-events.ts';
import type { BatchChanges, Loaded } from './batch.ts';
import { decideBatch } from './decide.ts';
import type { DisputeState, OrderState } from './state.ts';

const receivedAt = new Date(Date.UTC(2026, 0, 2));

/** The webhook that the event becomes. */
function webhookOf({ provider, body }: ProviderEvent): ReceivedWebhook {
  const input = provider === 'stripe' ? body : { notificationItems: [{ NotificationRequestItem: body }] };
  return received(provider, { adyen, stripe }[provider].paths[provider]!(input)[0]!);
}

function received(provider: string, event: ContractEvent): ReceivedWebhook {
  const { providerEventId } = event;
  return { provider, event, bodySha256: providerEventId, body: '', receivedAt, requestId: 'r', isReleased: false };
}

/** Applies webhooks one by one, as the database would carry the state from one transaction to the next. */
function applyEach(webhooks: readonly ReceivedWebhook[]): { loaded: Loaded; changes: BatchChanges[] } {
  let loaded = nothing;
  const changes = webhooks.map((webhook) => {
    const decided = decideBatch([webhook], loaded, { now: receivedAt, newId: () => 'id' });
    loaded = carry(loaded, [webhook], decided);
    return decided;
  });
  return { loaded, changes };
}

/** The order and what stays behind, after the events have come in this order. */
function outcome(events: readonly ProviderEvent[]) {
  const { loaded, changes } = applyEach(events.map(webhookOf));
  const order = loaded.orders.get('ord_1');
  return {
    order: order && shownOrder(order),
    disputes: [...loaded.disputes.values()].map(shownDispute),
    parked: loaded.parked,
    quarantined: changes.flatMap((one) => one.quarantine),
  };
}

/** As the API shows it. */
function shownOrder(order: OrderState) {
  const { status, userId, customerId, currency } = order;
  return {
    status,
    user_id: customerId ?? userId,
    currency,
    amount_minor: Number(order.amountMinor),
    authorised_minor: Number(order.authorisedMinor),
    captured_minor: Number(order.capturedMinor),
    refunded_minor: Number(order.refundedMinor),
  };
}

function shownDispute({ status, userId, amountMinor, chargedBackMinor }: DisputeState) {
  return {
    status,
    user_id: userId,
    amount_minor: Number(amountMinor),
    charged_back_minor: Number(chargedBackMinor),
  };
}

/** How far the money has come is the API's word, from these sums. */
const sums = ({ payment_state: _derived, ...shown }: ShownOrder) => shown;

describe('how an order is paid', () => {
  test.each(orderLives)('%s', (_name, events, expected) => {
    expect(outcome(events)).toMatchObject({ order: sums(expected), parked: [], quarantined: [] });
  });

  test.each(orderLives)('%s: in any order, with repetitions', (_name, events, expected) => {
    const arrival = fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 });
    fc.assert(
      fc.property(arrival, (arrived) => {
        const { order, parked, quarantined } = outcome(arrived);
        expect({ order, parked, quarantined }).toMatchObject({ order: sums(expected), parked: [], quarantined: [] });
      }),
      { numRuns: 60 },
    );
  });

  test('one event of each order of a batch counts as it does alone', () => {
    for (const [, events, expected] of orderLives) {
      const decided = decideBatch(events.map(webhookOf), nothing, { now: receivedAt, newId: () => 'id' });
      expect(shownOrder(decided.newOrders.get('ord_1')!)).toMatchObject(sums(expected));
    }
  });

  test('an order without a user lies under a name of its own, also once its user is known', () => {
    const guest = charge('charge.failed', { status: 'failed', captured: false });
    const { loaded } = applyEach([guest, charge('charge.succeeded', { id: 'ch_2', customer: 'cus_1' })].map(webhookOf));
    expect(loaded.orders.get('ord_1')).toMatchObject({ userId: 'guest:ord_1', customerId: 'cus_1' });
  });

  test('two users who are both named are a contradiction, whichever comes first; a missing one never is', () => {
    const named = (user: string | null, id: string) => charge('charge.updated', { id, customer: user });
    expect(outcome([named('cus_1', 'ch_1'), named('cus_2', 'ch_2')]).quarantined).toHaveLength(1);
    expect(outcome([named(null, 'ch_1'), named('cus_1', 'ch_2'), named('cus_2', 'ch_3')]).quarantined).toHaveLength(1);
    expect(outcome([named('cus_1', 'ch_1'), named(null, 'ch_2'), named('cus_1', 'ch_3')]).quarantined).toEqual([]);
  });

  test('money of another currency is a contradiction; a declined attempt in one is none', () => {
    const other = { value: 900, currency: 'USD' };
    expect(outcome([authorise('A1'), authorise('A2', other)]).quarantined).toHaveLength(1);
    expect(outcome([authorise('A1', { success: false }), authorise('A2', other)])).toMatchObject({
      order: { amount_minor: 900, currency: 'USD' },
      quarantined: [],
    });
  });
});

describe('what a dispute costs', () => {
  test.each(disputeLives)('%s', (_name, events, expected) => {
    expect(outcome(events)).toMatchObject({ disputes: [expected], parked: [], quarantined: [] });
    const arrival = fc.shuffledSubarray([...events], { minLength: events.length });
    fc.assert(
      fc.property(arrival, (arrived) => {
        expect(outcome(arrived)).toMatchObject({ disputes: [expected], parked: [], quarantined: [] });
      }),
      { numRuns: 60 },
    );
  });
});
