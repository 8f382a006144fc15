import { expect, test } from 'vitest';
import { clientOf, providerTime, type Target, unique } from '../target.ts';

/** Read-your-writes: a read that carries the token of a write sees it, whichever node answers. */
export function consistencySuite(target: () => Target): void {
  const client = () => clientOf(target());

  test('a read with the token of a webhook sees it at once', async () => {
    const orderId = unique('ord');
    await client().order({ order_id: orderId, updated_at: providerTime(0) });
    for (let n = 1; n <= 40; n++) {
      const written = await client().order({ order_id: orderId, status: 'updated', updated_at: providerTime(n) });
      const token = written.headers.get('x-consistency-token');
      expect(token).toBeTruthy();
      const read = await client().get(`/api/v1/orders/${orderId}`, { 'x-consistency-token': token! });
      expect(read.body.data.sequence).toBe(n + 1);
    }
  });

  test('so does one with the token of a hold', async () => {
    const orderId = unique('ord');
    await client().order({ order_id: orderId });
    for (let n = 0; n < 10; n++) {
      const action = n % 2 === 0 ? { action: 'set', reason: 'risk' } : { action: 'clear' };
      const written = await client().post(`/api/v1/orders/${orderId}/hold`, action);
      const token = written.headers.get('x-consistency-token')!;
      const read = await client().get(`/api/v1/orders/${orderId}`, { 'x-consistency-token': token });
      expect(read.body.data.on_hold).toBe(n % 2 === 0);
    }
  });

  test('the primary answers who asks for it or brings a token that cannot be read', async () => {
    const primary = await client().get('/api/v1/orders?limit=1', { 'x-read-consistency': 'primary' });
    const garbage = await client().get('/api/v1/orders?limit=1', { 'x-consistency-token': 'garbage' });
    expect([primary, garbage].map((answer) => [answer.status, answer.headers.get('x-read-node')])).toEqual(
      Array(2).fill([200, 'primary']),
    );
    expect(garbage.headers.get('x-read-reason')).toBe('unreadable_token');
    const unknown = await client().get('/api/v1/orders?limit=1', { 'x-read-consistency': 'whatever' });
    expect(unknown.status).toBe(400);
  });

  test('a replica answers where there is one', async () => {
    await target().settle();
    const answer = await client().get('/api/v1/orders?limit=1', { 'x-read-consistency': 'replica' });
    expect(answer.headers.get('x-read-node')).toMatch(target().readsFromReplica ? /^replica/ : /^primary$/);
  });
}
