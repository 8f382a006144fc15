import { expect, test } from 'vitest';
import { clientOf, providerTime, type Target, unique } from '../target.ts';

/** Events across aggregates, and their export. */
export function eventSuite(target: () => Target): void {
  const client = () => clientOf(target());
  type Event = { event_id: string; order_id: string; dispute_id?: string | null; kind: string; created_at: string };

  async function history(): Promise<{ orderId: string; disputeId: string; from: string }> {
    const from = new Date(Date.now() - 60_000).toISOString();
    const orderId = unique('ord');
    const disputeId = unique('dp');
    await client().order({ order_id: orderId, updated_at: providerTime(0) });
    for (let n = 1; n <= 4; n++) {
      await client().order({ order_id: orderId, status: 'updated', updated_at: providerTime(n) });
    }
    await client().post(`/api/v1/orders/${orderId}/hold`, { action: 'set', reason: 'risk' });
    await client().chargeback({ order_id: orderId, dispute_id: disputeId });
    await target().settle();
    return { orderId, disputeId, from };
  }

  test('are listed across orders and disputes, by order, by dispute and by kind', async () => {
    const { orderId, disputeId, from } = await history();
    const list = async (query: string): Promise<Event[]> =>
      (await client().allPages(`/api/v1/events?time_from=${from}&${query}`)).items;
    const ofOrder = await list(`order_ids=${orderId}&order=asc`);
    expect(ofOrder.map((event) => event.kind)).toEqual([
      ...Array(5).fill('webhook_received'),
      'hold_set',
      'webhook_opened',
    ]);
    expect((await list(`dispute_ids=${disputeId}`)).map((event) => event.kind)).toEqual(['webhook_opened']);
    expect(await list(`order_ids=${orderId}&kind=hold_set`)).toHaveLength(1);
    const descending = await list(`order_ids=${orderId}&order=desc`);
    expect(descending.map((event) => event.event_id)).toEqual(ofOrder.map((event) => event.event_id).reverse());
  });

  test('are paged by a cursor without gaps or repetitions', async () => {
    const { orderId, from } = await history();
    const paged = await client().allPages(`/api/v1/events?time_from=${from}&order_ids=${orderId}&limit=2&order=asc`);
    expect(paged.pages).toBe(4);
    expect(new Set(paged.items.map((event) => event.event_id)).size).toBe(7);
    const times = paged.items.map((event) => event.created_at);
    expect(times).toEqual([...times].sort());
  });

  test('outside of the time range are left out', async () => {
    const { orderId, from } = await history();
    const none = await client().get(
      `/api/v1/events?order_ids=${orderId}&time_from=2020-01-01T00:00:00Z&time_to=2020-01-02T00:00:00Z`,
    );
    expect([none.status, none.body.data]).toEqual([200, []]);
    const inverted = await client().get(`/api/v1/events?time_from=${from}&time_to=2020-01-02T00:00:00Z`);
    expect(inverted.status).toBe(400);
  });

  test('are exported as NDJSON, each once', async () => {
    const { orderId, from } = await history();
    const response = await fetch(`${target().apiUrl}/api/v1/events/export?order_ids=${orderId}&time_from=${from}`, {
      headers: { authorization: await client().authorization },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/ndjson/);
    const lines = (await response.text()).trimEnd().split('\n');
    const events: Event[] = lines.map((line) => JSON.parse(line));
    expect(events).toHaveLength(7);
    expect(new Set(events.map((event) => event.event_id)).size).toBe(7);
  });
}
