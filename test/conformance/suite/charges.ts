import { expect, test } from 'vitest';
import { clientOf, type Target, unique } from '../target.ts';

/** Payments through the providers, from the request to the books. */
export function chargeSuite(target: () => Target): void {
  const client = () => clientOf(target());
  const post = (path: string, body: object) =>
    client().post(`/api/v1${path}`, body, { 'idempotency-key': unique('key') });

  test.each(['card', 'wallet'])('%s: reserved, charged, given back in two equal parts', async (provider) => {
    const { account_id } = (await post('/accounts', { currency: 'EUR' })).body.data;
    const money = { amount_minor: 1_000, currency: 'EUR' };
    expect((await post(`/accounts/${account_id}/top-ups`, money)).status).toBe(201);
    const made = await post('/payments', { ...money, account_id, provider });
    expect(made.status).toBe(202);
    const path = `/api/v1/payments/${made.body.data.payment_id}`;
    const status = async () => (await client().get(path, { 'x-read-consistency': 'primary' })).body.data.status;
    await expect.poll(status, { timeout: 20_000 }).toBe('completed');
    for (const part of [1, 2]) {
      const refund = await post(`/payments/${made.body.data.payment_id}/refund`, {
        amount_minor: 500,
        reason: `${part}`,
      });
      expect(refund.status).toBe(202);
    }
    await expect.poll(status, { timeout: 20_000 }).toBe('refunded');
    expect(await client().settled(`/api/v1/accounts/${account_id}/balance`)).toMatchObject({
      balance_minor: 1_000,
      held_minor: 0,
    });
    const { items } = await client().allPages(`${path}/events?limit=2`);
    const kinds = new Set(items.map(({ kind }) => kind));
    expect([...kinds]).toEqual(
      expect.arrayContaining(['created', 'processing', 'completed', 'refund_requested', 'refunded']),
    );
    const books = await (await fetch(`${target().providerUrl}/${provider}/ledger`)).text();
    const own = books.split('\n').filter((line) => line.includes(made.body.data.payment_id));
    expect(own).toHaveLength(3);
  });
}
