import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TopologyName } from '../../kernel/topology.ts';
import { startWebhookServer, type WebhookServer } from '../../test/webhooks/server.ts';
import { orderBody, postSilvergate } from '../../test/webhooks/signing.ts';
import { withIntake } from './intake.ts';
import { applyWaiting, dropWaiting, findWaiting, listWaiting } from './quarantine.ts';

describe.each(['plain', 'partitioned'] as const satisfies TopologyName[])('the quarantine of %s', (topology) => {
  let server: WebhookServer;
  let client: Client;
  beforeAll(async () => {
    server = await startWebhookServer({ topology });
    client = new Client({ connectionString: server.dsn });
    await client.connect();
  });
  afterAll(async () => {
    await client?.end();
    await server?.close();
  });

  async function contradiction(): Promise<{ orderId: string; id: string }> {
    const body = orderBody({ order_id: `ord_${randomUUID()}`, amount_minor: 100 });
    await postSilvergate(server.url, 'orders', body);
    const later = { ...body, provider_event_id: randomUUID(), status: 'success', updated_at: '2026-02-01T00:00:00Z' };
    const answer = await postSilvergate(server.url, 'orders', { ...later, amount_minor: 120 });
    expect(answer.body.data.verdict).toBe('quarantined');
    const waiting = (await listWaiting(client)).find(({ orderId }) => orderId === body.order_id)!;
    expect(waiting).toMatchObject({ state: 'quarantined', reason: 'amount_minor differs from the order' });
    return { orderId: String(body.order_id), id: waiting.id };
  }

  const orderOf = async (orderId: string) =>
    (await server.query('select status, sequence from orders where order_id = $1', [orderId]))[0];

  test('what is released counts once, also when the decision is repeated after a failure', async () => {
    const { orderId, id } = await contradiction();
    const waiting = await findWaiting(client, id);
    const release = () =>
      withIntake({ dsn: server.dsn, topology }, (intake) => applyWaiting(client, intake, { waiting, note: 'checked' }));
    expect(await release()).toBe('applied');
    expect(await orderOf(orderId)).toEqual({ status: 'success', sequence: '2' });
    expect(await release()).toBe('duplicate');
    expect(await orderOf(orderId)).toEqual({ status: 'success', sequence: '2' });
    await expect(findWaiting(client, id)).rejects.toThrow(`Nothing waits under ${id}. See: lab quarantine list`);
    const decided = await server.query(
      "select decision, note from quarantined_webhooks where event ->> 'orderId' = $1",
      [orderId],
    );
    expect(decided).toEqual([{ decision: 'applied', note: 'checked' }]);
  });

  test('what is dropped has no effect and keeps the reason', async () => {
    const { orderId, id } = await contradiction();
    await dropWaiting(client, await findWaiting(client, id), 'a test of the provider');
    expect(await orderOf(orderId)).toEqual({ status: 'created', sequence: '1' });
    expect((await listWaiting(client)).map((waiting) => waiting.id)).not.toContain(id);
  });

  test('a parked webhook is shown after an hour, can be dropped, and is applied by nothing but its order', async () => {
    const body = orderBody({ order_id: `ord_${randomUUID()}`, status: 'success' });
    expect((await postSilvergate(server.url, 'orders', body)).body.data.verdict).toBe('parked');
    const mine = async () => (await listWaiting(client)).filter(({ orderId }) => orderId === body.order_id);
    expect(await mine()).toEqual([]);
    await server.query("update parked_webhooks set received_at = now() - interval '2 hours' where order_id = $1", [
      body.order_id,
    ]);
    const [waiting] = await mine();
    expect(waiting).toMatchObject({
      state: 'parked',
      reason: expect.stringContaining('which no event has made known'),
    });
    const release = withIntake({ dsn: server.dsn, topology }, (intake) =>
      applyWaiting(client, intake, { waiting: waiting!, note: null }),
    );
    await expect(release).rejects.toThrow('or dropped with --drop');
    await dropWaiting(client, waiting!, null);
    expect(await mine()).toEqual([]);
    expect(await server.query('select from parked_webhooks where order_id = $1', [body.order_id])).toEqual([]);
  });
});
