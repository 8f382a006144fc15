import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWebhookServer, type WebhookServer } from '../../test/webhooks/server.ts';
import { postAdyen, postStripe, signedAdyenItem, stripeEvent } from '../../test/webhooks/signing.ts';

let server: WebhookServer;
beforeAll(async () => {
  server = await startWebhookServer({ topology: 'partitioned' });
});
afterAll(() => server?.close());

describe('stripe', () => {
  let counter = 0;
  const event = (type: string, object: Record<string, unknown>): Record<string, unknown> =>
    stripeEvent({ id: `evt_${process.pid}_${++counter}`, type, object });
  const charge = (id: string, status: string) => ({
    id,
    object: 'charge',
    amount: 4200,
    currency: 'eur',
    status,
    created: 1_767_225_600,
    customer: 'cus_1',
    metadata: { order_id: `ord_${id}`, user_id: 'user_7' },
  });
  const send = (body: Record<string, unknown>, change?: (text: string) => string) =>
    postStripe(server.url, body, { ...(change && { change }) });

  it('accepts what the public library signed', async () => {
    const answer = await send(event('charge.succeeded', charge('ch_1', 'succeeded')));
    expect(answer.status).toBe(202);
    const [row] = await server.query(`select * from orders where order_id = 'ord_ch_1'`);
    expect(row).toMatchObject({
      status: 'success',
      user_id: 'user_7',
      amount_minor: '4200',
      currency: 'EUR',
      provider: 'stripe',
    });
  });

  it('takes the payment that succeeds after a card was declined', async () => {
    const declined = await send(event('charge.failed', charge('ch_4', 'failed')));
    expect([declined.status, declined.body.data.verdict]).toEqual([202, 'applied']);
    const paid = await send(event('charge.succeeded', { ...charge('ch_4', 'succeeded'), id: 'ch_5' }));
    expect([paid.status, paid.body.data.verdict]).toEqual([202, 'applied']);
    const [row] = await server.query(`select status from orders where order_id = 'ord_ch_4'`);
    expect(row).toEqual({ status: 'success' });
  });

  it('answers 401 when a byte changed', async () => {
    const answer = await send(event('charge.succeeded', charge('ch_2', 'succeeded')), (text) =>
      text.replace('4200', '4201'),
    );
    expect(answer.status).toBe(401);
  });

  it('takes a retry whose pending_webhooks changed for a duplicate', async () => {
    const body = event('charge.succeeded', charge('ch_3', 'succeeded'));
    await send(body);
    const again = await send({ ...body, pending_webhooks: 0 });
    expect([again.status, again.body.data.verdict]).toEqual([200, 'duplicate']);
  });

  it('stores an event of a type that it does not know, answers 2xx, and changes nothing', async () => {
    const body = event('balance.available', { object: 'balance' });
    const answer = await send(body);
    expect([answer.status, answer.body.data.verdict]).toEqual([202, 'ignored']);
    const [delivery] = await server.query('select verdict from webhook_deliveries where provider_event_id = $1', [
      body.id,
    ]);
    expect(delivery).toEqual({ verdict: 'ignored' });
    expect((await send(body)).status).toBe(200);
  });
});

describe('adyen', () => {
  const item = (pspReference: string, value = 4200) => ({
    pspReference,
    originalReference: '',
    merchantAccountCode: 'LabMerchant',
    merchantReference: `ord_${pspReference}`,
    amount: { value, currency: 'EUR' },
    eventCode: 'AUTHORISATION',
    success: 'true',
    eventDate: '2026-01-31T12:00:00+01:00',
    paymentMethod: 'visa',
  });
  const send = (items: object[]) => postAdyen(server.url, items);

  it('takes a batch and answers as Adyen expects', async () => {
    const answer = await send([signedAdyenItem(item('8515A')), signedAdyenItem(item('8515B'))]);
    expect([answer.status, answer.body]).toEqual([202, '[accepted]']);
    expect(await server.query(`select 1 from orders where provider = 'adyen'`)).toHaveLength(2);
    expect(answer.headers.get('x-webhook-verdict')).toBe('applied, applied');
    const again = await send([signedAdyenItem(item('8515A'))]);
    expect([again.status, again.headers.get('x-webhook-verdict')]).toEqual([200, 'duplicate']);
  });

  it('takes the payment that succeeds after a card was refused', async () => {
    const attempt = (pspReference: string, change: object) =>
      signedAdyenItem({ ...item(pspReference), merchantReference: 'ord_two_cards', ...change });
    await send([attempt('8515E', { success: 'false' })]);
    await send([attempt('8515F', { eventDate: '2026-01-31T12:01:00+01:00' })]);
    await send([attempt('8515G', { eventCode: 'CAPTURE', eventDate: '2026-01-31T12:02:00+01:00' })]);
    const [row] = await server.query(`select status from orders where order_id = 'ord_two_cards'`);
    expect(row).toEqual({ status: 'success' });
  });

  it('refuses the batch when one item was tampered with', async () => {
    const tampered = { ...signedAdyenItem(item('8515D')), amount: { value: 1, currency: 'EUR' } };
    expect((await send([signedAdyenItem(item('8515C')), tampered])).status).toBe(401);
    expect(await server.query(`select 1 from orders where order_id in ('ord_8515C', 'ord_8515D')`)).toEqual([]);
  });
});
