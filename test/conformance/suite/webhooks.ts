import { describe, expect, test } from 'vitest';
import {
  orderBody,
  post,
  postAdyen,
  postSilvergate,
  postStripe,
  signedAdyenItem,
  silvergateHeaders,
  strangerSecret,
  stripeEvent,
} from '../../webhooks/signing.ts';
import { clientOf, providerTime, type Target, unique } from '../target.ts';

/** What becomes of webhooks: every verdict, dedupe, order of arrival, refusals. */
export function webhookSuite(target: () => Target): void {
  const client = () => clientOf(target());

  describe('verdicts', () => {
    test('applied: 202 after the order is stored', async () => {
      const orderId = unique('ord');
      const answer = await client().order({ order_id: orderId, amount_minor: 4200, currency: 'EUR' });
      expect(answer.status).toBe(202);
      expect(answer.body).toMatchObject({
        object: 'webhook',
        success: true,
        error: null,
        data: { verdict: 'applied', order_id: orderId, sequence: 1 },
      });
      expect(await client().settled(`/api/v1/orders/${orderId}`)).toMatchObject({
        order_id: orderId,
        status: 'created',
        amount_minor: 4200,
        currency: 'EUR',
        sequence: 1,
      });
    });

    test('duplicate: 200 and no effect', async () => {
      const body = orderBody({ order_id: unique('ord'), provider_event_id: unique('evt') });
      const send = () => postSilvergate(target().apiUrl, 'orders', body, { secret: target().secrets.silvergate });
      expect((await send()).status).toBe(202);
      const again = await send();
      expect([again.status, again.body.data.verdict]).toEqual([200, 'duplicate']);
      expect(await client().settled(`/api/v1/orders/${body.order_id}/events`)).toHaveLength(1);
    });

    test('quarantined: the same id with another body has no effect', async () => {
      const ids = { order_id: unique('ord'), provider_event_id: unique('evt') };
      await client().order({ ...ids, amount_minor: 100 });
      const other = await client().order({ ...ids, amount_minor: 999 });
      expect([other.status, other.body.data.verdict]).toEqual([202, 'quarantined']);
      expect(await client().settled(`/api/v1/orders/${ids.order_id}`)).toMatchObject({
        amount_minor: 100,
        sequence: 1,
      });
    });

    test('quarantined: an amount that contradicts the order', async () => {
      const orderId = unique('ord');
      await client().order({ order_id: orderId, amount_minor: 100 });
      const other = await client().order({
        order_id: orderId,
        status: 'updated',
        amount_minor: 101,
        updated_at: providerTime(5),
      });
      expect(other.body.data.verdict).toBe('quarantined');
      expect(await client().settled(`/api/v1/orders/${orderId}`)).toMatchObject({
        amount_minor: 100,
        status: 'created',
      });
    });

    test('stale: an older event is recorded and moves nothing backwards', async () => {
      const orderId = unique('ord');
      await client().order({ order_id: orderId, updated_at: providerTime(0) });
      await client().order({ order_id: orderId, status: 'success', updated_at: providerTime(20) });
      const late = await client().order({ order_id: orderId, status: 'updated', updated_at: providerTime(10) });
      expect([late.status, late.body.data.verdict]).toEqual([202, 'stale']);
      expect(await client().settled(`/api/v1/orders/${orderId}`)).toMatchObject({ status: 'success', sequence: 3 });
    });

    test('parked: an event for an unknown order is applied when the order comes', async () => {
      const orderId = unique('ord');
      const early = [
        await client().order({ order_id: orderId, status: 'success', updated_at: providerTime(20) }),
        await client().order({ order_id: orderId, status: 'updated', updated_at: providerTime(10) }),
        await client().chargeback({ order_id: orderId, dispute_id: `dp_${orderId}`.slice(0, 64) }),
      ];
      expect(early.map((answer) => [answer.status, answer.body.data.verdict])).toEqual(Array(3).fill([202, 'parked']));
      await target().settle();
      expect((await client().get(`/api/v1/orders/${orderId}`)).status).toBe(404);
      await client().order({ order_id: orderId, updated_at: providerTime(0) });
      expect(await client().settled(`/api/v1/orders/${orderId}`)).toMatchObject({ status: 'success', sequence: 3 });
      const events = await client().settled(`/api/v1/orders/${orderId}/events`);
      const statuses = events.map((event: { sequence: number; data: { status: string } }) => [
        event.sequence,
        event.data.status,
      ]);
      expect(statuses.sort()).toEqual([
        [1, 'created'],
        [2, 'updated'],
        [3, 'success'],
      ]);
      expect(await client().settled(`/api/v1/disputes?order_id=${orderId}`)).toHaveLength(1);
    });

    test('ignored: an event of a type that the lab does not map is stored and answered 2xx', async () => {
      const answer = await sendStripe({ type: 'balance.available', object: { object: 'balance' } });
      expect([answer.status, answer.body.data.verdict]).toEqual([202, 'ignored']);
    });
  });

  test('100 concurrent duplicates have one effect', async () => {
    const body = orderBody({ order_id: unique('ord'), provider_event_id: unique('evt') });
    const signing = { secret: target().secrets.silvergate };
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => postSilvergate(target().apiUrl, 'orders', body, signing)),
    );
    const verdicts = answers.map((answer) => answer.body.data.verdict);
    expect(verdicts.filter((verdict) => verdict === 'applied')).toHaveLength(1);
    expect(verdicts.filter((verdict) => verdict === 'duplicate')).toHaveLength(99);
    expect(await client().settled(`/api/v1/orders/${body.order_id}`)).toMatchObject({ sequence: 1 });
  });

  test('concurrent events of one order are numbered 1..n without gaps', async () => {
    const orderId = unique('ord');
    await client().order({ order_id: orderId, updated_at: providerTime(0) });
    await Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        client().order({ order_id: orderId, status: 'updated', updated_at: providerTime(n + 1) }),
      ),
    );
    const events = await client().settled(`/api/v1/orders/${orderId}/events?limit=100`);
    const sequences = events.map((event: { sequence: number }) => event.sequence).sort((a: number, b: number) => a - b);
    expect(sequences).toEqual(Array.from({ length: 31 }, (_, n) => n + 1));
  });

  describe('providers', () => {
    test('what the public stripe library signs is accepted, and 401 when a byte changes', async () => {
      const charge = {
        object: 'charge',
        amount: 4200,
        currency: 'eur',
        status: 'succeeded',
        metadata: { order_id: unique('ord'), user_id: 'user_7' },
      };
      const good = await sendStripe({ type: 'charge.succeeded', object: { id: unique('ch'), ...charge } });
      expect([good.status, good.body.data.verdict]).toEqual([202, 'applied']);
      const bad = await sendStripe({ type: 'charge.succeeded', object: { id: unique('ch'), ...charge } }, (text) =>
        text.replace('4200', '4201'),
      );
      expect(bad.status).toBe(401);
    });

    test('a signed Adyen batch is answered as Adyen expects', async () => {
      const item = {
        pspReference: unique('psp').replace(/[^A-Za-z0-9]/g, ''),
        originalReference: '',
        merchantAccountCode: 'LabMerchant',
        merchantReference: unique('ord'),
        amount: { value: 1999, currency: 'EUR' },
        eventCode: 'AUTHORISATION',
        eventDate: '2026-01-31T12:00:00+00:00',
        success: 'true',
      };
      const signed = signedAdyenItem(item, target().secrets.adyen);
      const good = await postAdyen(target().apiUrl, [signed]);
      expect([good.status, good.body]).toEqual([202, '[accepted]']);
      const bad = await postAdyen(target().apiUrl, [{ ...signed, amount: { value: 2000, currency: 'EUR' } }]);
      expect(bad.status).toBe(401);
    });
  });

  describe('refusals', () => {
    const path = () => `${target().apiUrl}/webhooks/payments/orders`;
    const signed = (text: string) => silvergateHeaders(text, { secret: target().secrets.silvergate });

    test('every wrong signature gets the same 401', async () => {
      const text = JSON.stringify(orderBody());
      const good = signed(text);
      const attempts: Record<string, string>[] = [
        silvergateHeaders(text, { secret: strangerSecret }),
        { ...good, 'webhook-id': 'msg_swapped' },
        { ...good, 'webhook-signature': 'v1,AAAA' },
        { 'content-type': 'application/json' },
        silvergateHeaders(text, { secret: target().secrets.silvergate, at: new Date(Date.now() - 302_000) }),
      ];
      const answers = await Promise.all(attempts.map((headers) => post(path(), text, headers)));
      expect(answers.map((answer) => answer.status)).toEqual(attempts.map(() => 401));
      expect(new Set(answers.map((answer) => JSON.stringify(answer.body.error))).size).toBe(1);
    });

    test.each([
      ['malformed JSON', '{"a":', 400, 'malformed_body'],
      ['a missing field', JSON.stringify({ ...orderBody(), user_id: undefined }), 400, 'invalid_request'],
      ['an unknown field', JSON.stringify({ ...orderBody(), extra: 1 }), 400, 'invalid_request'],
      ['NUL in a string', JSON.stringify(orderBody({ meta: { a: '\0' } })), 400, 'malformed_body'],
    ])('%s: %#', async (_name, text, status, code) => {
      const answer = await post(path(), text, signed(text));
      expect([answer.status, answer.body.error.code]).toEqual([status, code]);
    });

    test('unknown provider 404, wrong method 405 with Allow, wrong content type 415, too large 413', async () => {
      const large = JSON.stringify(orderBody({ meta: { text: 'x'.repeat(300_000) } }));
      const unknown = await post(`${target().apiUrl}/webhooks/unknown`, '{}', signed('{}'));
      const method = await client().get('/webhooks/payments/orders');
      const type = await post(path(), '{}', { ...signed('{}'), 'content-type': 'text/plain' });
      const size = await post(path(), large, signed(large));
      expect([unknown.status, method.status, type.status, size.status]).toEqual([404, 405, 415, 413]);
      expect(method.headers.get('allow')).toBe('POST');
    });
  });

  function sendStripe(event: { type: string; object: object }, change?: (text: string) => string) {
    const { apiUrl, secrets } = target();
    return postStripe(apiUrl, stripeEvent({ id: unique('evt'), ...event }), {
      secret: secrets.stripe,
      ...(change && { change }),
    });
  }
}
