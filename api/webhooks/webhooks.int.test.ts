import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TopologyName } from '../../kernel/topology.ts';
import { startWebhookServer, type WebhookServer } from '../../test/webhooks/server.ts';
import { chargebackBody, orderBody, postSilvergate } from '../../test/webhooks/signing.ts';

const topologies: TopologyName[] = ['plain', 'partitioned'];

describe.each(topologies)('applying webhooks on %s', (topology) => {
  let server: WebhookServer;
  beforeAll(async () => {
    server = await startWebhookServer({ topology });
  });
  afterAll(() => server?.close());

  const order = (body: Record<string, unknown>) => postSilvergate(server.url, 'orders', body);
  const chargeback = (body: Record<string, unknown>) => postSilvergate(server.url, 'chargebacks', body);
  const stored = async (orderId: unknown) =>
    (await server.query('select * from orders where order_id = $1', [orderId]))[0];
  const sequences = async (orderId: unknown) => {
    const rows = await server.query('select sequence::int from order_events where order_id = $1 order by sequence', [
      orderId,
    ]);
    return rows.map((row) => row.sequence);
  };

  it('stores order, event, delivery and outbox row before it answers 202', async () => {
    const body = orderBody({ meta: { channel: 'web' } });
    const answer = await order(body);
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({
      object: 'webhook',
      success: true,
      data: { provider_event_id: body.provider_event_id, verdict: 'applied', order_id: body.order_id, sequence: 1 },
    });
    expect(answer.headers.get('x-consistency-token')).toMatch(/^v2\./);
    expect(await stored(body.order_id)).toMatchObject({
      status: 'created',
      amount_minor: '1999',
      currency: 'EUR',
      sequence: '1',
    });
    const [event] = await server.query('select * from order_events where order_id = $1', [body.order_id]);
    expect(event).toMatchObject({ kind: 'webhook_received', provider_event_id: body.provider_event_id });
    expect(event!.data).toMatchObject({ status: 'created', meta: { channel: 'web' } });
    const [outbox] = await server.query('select * from outbox where event_id = $1', [event!.event_id]);
    expect(outbox).toMatchObject({
      aggregate_type: 'order',
      aggregate_id: body.order_id,
      sequence: '1',
      event_type: 'order.webhook_received',
    });
    const [delivery] = await server.query('select * from webhook_deliveries where provider_event_id = $1', [
      body.provider_event_id,
    ]);
    expect(delivery).toMatchObject({ verdict: 'applied', body: JSON.stringify(body) });
  });

  it('answers a repetition 200 and leaves no second effect', async () => {
    const body = orderBody();
    await order(body);
    const again = await order(body);
    expect(again.status).toBe(200);
    expect(again.body.data.verdict).toBe('duplicate');
    expect(await sequences(body.order_id)).toEqual([1]);
  });

  it('has one effect for 100 concurrent duplicates', async () => {
    const body = orderBody();
    const answers = await Promise.all(Array.from({ length: 100 }, () => order(body)));
    expect(answers.filter((answer) => answer.status === 202)).toHaveLength(1);
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(99);
    expect(await sequences(body.order_id)).toEqual([1]);
    expect(await server.query('select 1 from outbox where aggregate_id = $1', [body.order_id])).toHaveLength(1);
  });

  it('quarantines another body under the same id', async () => {
    const body = orderBody();
    await order(body);
    const other = await order({ ...body, status: 'failed' });
    expect(other.status).toBe(202);
    expect(other.body.data).toMatchObject({ verdict: 'quarantined', sequence: null });
    expect(await stored(body.order_id)).toMatchObject({ status: 'created', sequence: '1' });
    expect(await server.metrics.registry.metrics()).toMatch(/webhooks_total\{[^}]*verdict="quarantined"[^}]*\} [1-9]/);
  });

  it.each([
    ['amount_minor', { amount_minor: 2000, currency: 'EUR' }],
    ['currency', { amount_minor: 1999, currency: 'USD' }],
    ['user_id', { user_id: 'user_2' }],
  ])('quarantines an update whose %s contradicts the order', async (field, difference) => {
    const body = orderBody();
    await order(body);
    const update = orderBody({
      order_id: body.order_id,
      status: 'updated',
      updated_at: '2026-02-01T00:00:00Z',
      ...difference,
    });
    const answer = await order(update);
    expect(answer.body.data.verdict).toBe('quarantined');
    const [delivery] = await server.query('select reason from webhook_deliveries where provider_event_id = $1', [
      update.provider_event_id,
    ]);
    expect(delivery!.reason).toContain(field);
    expect(await stored(body.order_id)).toMatchObject({ status: 'created', sequence: '1' });
  });

  it('records an older event and does not move the state backwards', async () => {
    const body = orderBody();
    await order(body);
    await order(orderBody({ order_id: body.order_id, status: 'success', updated_at: '2026-02-03T00:00:00Z' }));
    const late = await order(
      orderBody({ order_id: body.order_id, status: 'updated', updated_at: '2026-02-02T00:00:00Z' }),
    );
    expect(late.status).toBe(202);
    expect(late.body.data).toMatchObject({ verdict: 'stale', sequence: 3 });
    expect(await stored(body.order_id)).toMatchObject({ status: 'success', sequence: '3' });
    expect(await sequences(body.order_id)).toEqual([1, 2, 3]);
  });

  it('never changes a final status', async () => {
    const body = orderBody();
    await order(body);
    await order(orderBody({ order_id: body.order_id, status: 'failed', updated_at: '2026-02-01T00:00:00Z' }));
    const after = await order(
      orderBody({ order_id: body.order_id, status: 'success', updated_at: '2026-02-02T00:00:00Z' }),
    );
    expect(after.body.data.verdict).toBe('stale');
    expect(await stored(body.order_id)).toMatchObject({ status: 'failed' });
  });

  it('parks events of an unknown order and applies them, in the provider’s order, when it comes', async () => {
    const body = orderBody();
    const update = { order_id: body.order_id, amount_minor: undefined, currency: undefined };
    const second = await order(orderBody({ ...update, status: 'success', updated_at: '2026-02-02T00:00:00Z' }));
    const first = await order(orderBody({ ...update, status: 'updated', updated_at: '2026-02-01T00:00:00Z' }));
    const opened = await chargeback(chargebackBody({ order_id: body.order_id, dispute_id: `dp_${body.order_id}` }));
    for (const answer of [second, first, opened]) {
      expect(answer.status).toBe(202);
      expect(answer.body.data).toMatchObject({ verdict: 'parked', sequence: null });
    }
    expect(await stored(body.order_id)).toBeUndefined();
    await order(body);
    expect(await stored(body.order_id)).toMatchObject({ status: 'success', sequence: '3' });
    const events = await server.query(
      `select sequence::int, data ->> 'status' as status from order_events where order_id = $1 order by sequence`,
      [body.order_id],
    );
    expect(events).toEqual([
      { sequence: 1, status: 'created' },
      { sequence: 2, status: 'updated' },
      { sequence: 3, status: 'success' },
    ]);
    expect(await server.query('select status from disputes where order_id = $1', [body.order_id])).toEqual([
      { status: 'open' },
    ]);
    expect(await server.query('select 1 from parked_webhooks where order_id = $1', [body.order_id])).toEqual([]);
    expect(
      (
        await order(
          orderBody({
            ...update,
            provider_event_id: second.body.data.provider_event_id,
            status: 'success',
            updated_at: '2026-02-02T00:00:00Z',
          }),
        )
      ).status,
    ).not.toBe(500);
  });

  it('keeps what has waited for its order and contradicts it', async () => {
    const body = orderBody();
    await chargeback(chargebackBody({ order_id: body.order_id, user_id: 'another' }));
    await order(body);
    expect(await server.query('select 1 from parked_webhooks where order_id = $1', [body.order_id])).toEqual([]);
    const waiting = "select reason, decision from quarantined_webhooks where event ->> 'orderId' = $1";
    expect(await server.query(waiting, [body.order_id])).toEqual([
      { reason: 'user_id differs from the order', decision: null },
    ]);
    expect(await server.query('select 1 from disputes where order_id = $1', [body.order_id])).toEqual([]);
  });

  it('numbers a dispute’s events and follows its decision', async () => {
    const body = orderBody();
    await order(body);
    const dispute = { order_id: body.order_id, dispute_id: `dp_${body.order_id}` };
    await chargeback(chargebackBody({ ...dispute, evidence_due_at: '2026-02-10T00:00:00Z' }));
    await chargeback(
      chargebackBody({ ...dispute, status: 'closed', occurred_at: '2026-02-05T00:00:00Z', meta: { outcome: 'lost' } }),
    );
    const late = await chargeback(
      chargebackBody({ ...dispute, status: 'updated', occurred_at: '2026-02-03T00:00:00Z' }),
    );
    expect(late.body.data).toMatchObject({ verdict: 'stale', sequence: 3, dispute_id: dispute.dispute_id });
    const [row] = await server.query('select * from disputes where dispute_id = $1', [dispute.dispute_id]);
    expect(row).toMatchObject({ status: 'lost', sequence: '3', reason: 'fraud' });
    expect((row!.closed_at as Date).toISOString()).toBe('2026-02-05T00:00:00.000Z');
    const events = await server.query('select kind from dispute_events where dispute_id = $1 order by sequence', [
      dispute.dispute_id,
    ]);
    expect(events.map((event) => event.kind)).toEqual(['webhook_opened', 'provider_decision', 'webhook_updated']);
  });

  it('numbers concurrent updates of one order 1..n without gaps', async () => {
    const body = orderBody();
    await order(body);
    await Promise.all(
      Array.from({ length: 50 }, (_value, index) =>
        order(
          orderBody({
            order_id: body.order_id,
            status: 'updated',
            updated_at: `2026-02-01T00:00:${String(index).padStart(2, '0')}Z`,
          }),
        ),
      ),
    );
    expect(await sequences(body.order_id)).toEqual(Array.from({ length: 51 }, (_value, index) => index + 1));
    expect(await stored(body.order_id)).toMatchObject({ sequence: '51' });
  });
});
