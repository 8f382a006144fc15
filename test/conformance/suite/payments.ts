import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { disputeLives, orderLives } from '../../webhooks/payment-lives.ts';
import { authorise, charge, type ProviderEvent, renamed } from '../../webhooks/provider-events.ts';
import { type Answer, postAdyen, postStripe, signedAdyenItem } from '../../webhooks/signing.ts';
import { clientOf, type Target, unique } from '../target.ts';

/** What an order is made of: each provider's own events, signed, and what clients are shown then. */
export function paymentSuite(target: () => Target): void {
  const client = () => clientOf(target());

  function send({ provider, body }: ProviderEvent): Promise<Answer> {
    const { apiUrl, secrets } = target();
    if (provider === 'adyen') return postAdyen(apiUrl, [signedAdyenItem(body, secrets.adyen)]);
    return postStripe(apiUrl, body, { secret: secrets.stripe });
  }

  /** Each event twice, since providers repeat. @returns the end of all names of this life. */
  async function live(events: readonly ProviderEvent[]): Promise<string> {
    const end = randomUUID().replaceAll('-', '');
    for (const event of renamed(events, end)) {
      const answers = [await send(event), await send(event)];
      expect(answers.map(({ status }) => status)).toEqual([202, 200]);
      for (const { body } of answers) expect(body.data?.verdict).not.toBe('quarantined');
    }
    return end;
  }

  const arrivals = (events: readonly ProviderEvent[]) => [events, events.toReversed()];

  test.each(orderLives)('%s', async (_name, events, shown) => {
    for (const arrival of arrivals(events)) {
      const end = await live(arrival);
      expect(await client().settled(`/api/v1/orders/ord_1${end}`)).toMatchObject(renamed(shown, end));
    }
  });

  test.each(disputeLives)('%s', async (_name, events, shown) => {
    for (const arrival of arrivals(events)) {
      const end = await live(arrival);
      const disputes = await client().settled(`/api/v1/disputes?order_id=ord_1${end}`);
      expect(disputes).toMatchObject([renamed(shown, end)]);
      expect(await client().settled(`/api/v1/disputes/${disputes[0].dispute_id}`)).toMatchObject(renamed(shown, end));
    }
  });

  test('two users who are both named contradict each other; the order stays as it was', async () => {
    const named = (user: string, id: string) => charge('charge.succeeded', { id, customer: user, amount: 700 });
    const end = randomUUID().replaceAll('-', '');
    const [first, second] = renamed([named('cus_1', 'ch_1'), named('cus_2', 'ch_2')], end);
    expect((await send(first!)).body.data.verdict).toBe('applied');
    const other = await send(second!);
    expect([other.status, other.body.data.verdict]).toEqual([202, 'quarantined']);
    expect(await client().settled(`/api/v1/orders/ord_1${end}`)).toMatchObject({
      user_id: `cus_1${end}`,
      captured_minor: 700,
    });
  });

  describe('events without an effect', () => {
    test('a report of Adyen has the name of a file, and two accounts may have one of the same name', async () => {
      const pspReference = `settlement detail (${unique('batch')}).csv`;
      for (const merchantAccountCode of ['ShopEU', 'ShopUS']) {
        const report = authorise(pspReference, { eventCode: 'REPORT_AVAILABLE', merchantReference: '' });
        const answer = await send({ ...report, body: { ...report.body, merchantAccountCode } });
        // Not a duplicate of the other account's.
        expect([answer.status, answer.body]).toEqual([202, '[accepted]']);
      }
    });

    test.each<[string, object]>([
      ['thin', { object: 'v2.core.event', type: 'v1.billing.meter.error', created: '2026-03-01T12:00:00.000Z' }],
      ['without an object', { object: 'event', type: 'customer.updated', created: 1_772_366_400, data: {} }],
    ])('a %s event of Stripe', async (_name, fields) => {
      const answer = await send({ provider: 'stripe', body: { id: unique('evt'), ...fields } });
      expect([answer.status, answer.body.data.verdict]).toEqual([202, 'ignored']);
    });
  });
}
