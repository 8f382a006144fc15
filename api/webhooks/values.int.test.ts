import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWebhookServer, type WebhookServer } from '../../test/webhooks/server.ts';
import { chargebackBody, orderBody, post, postSilvergate, silvergateHeaders } from '../../test/webhooks/signing.ts';

let server: WebhookServer;
beforeAll(async () => {
  server = await startWebhookServer({ topology: 'partitioned' });
});
afterAll(() => server?.close());

/** Everything that the database holds, as one text. */
async function everything(): Promise<string> {
  const tables =
    await server.query(`select relname as name from pg_class c where relkind in ('r', 'p') and not relispartition
    and relnamespace = 'public'::regnamespace`);
  const texts = await Promise.all(
    tables.map(({ name }) => server.query(`select coalesce(string_agg(t::text, e'\\n'), '') as rows from "${name}" t`)),
  );
  return texts.map(([row]) => row!.rows).join('\n');
}

const postText = (text: string, path = 'orders') =>
  post(`${server.url}/webhooks/payments/${path}`, text, silvergateHeaders(text));

describe('a card number in a signed webhook', () => {
  const card = '4242424242424242';
  const escaped = [...card].map((digit) => `\\u003${digit}`).join('');
  const withMeta = (meta: string): string =>
    JSON.stringify(orderBody({ meta: {} })).replace('"meta":{}', `"meta":${meta}`);

  it.each([
    ['in a value', `{"note":"${card}"}`],
    ['under a name that comes twice', `{"note":"${card}","note":"x"}`],
    ['as a name', `{"${card}":1}`],
    ['with escaped digits', `{"note":"${escaped}"}`],
    ['as a number', `{"number":${card}}`],
  ])('%s is taken and stored nowhere', async (_name, meta) => {
    const text = withMeta(meta);
    const answer = await postText(text);
    expect([answer.status, answer.body.data.verdict]).toEqual([202, 'applied']);
    const again = await postText(text);
    expect([again.status, again.body.data.verdict]).toEqual([200, 'duplicate']);
    const stored = await everything();
    expect(stored).toContain(answer.body.data.order_id);
    for (const form of [card, escaped]) expect(stored).not.toContain(form);
  });

  it('is masked in what is parked, and in what is quarantined', async () => {
    const parked = await postSilvergate(
      server.url,
      'chargebacks',
      chargebackBody({ reason: card, meta: { note: card } }),
    );
    expect(parked.body.data.verdict).toBe('parked');
    const order = orderBody();
    await postSilvergate(server.url, 'orders', order);
    const contradicting = { ...order, amount_minor: 5, meta: { note: card } };
    const quarantined = await postSilvergate(server.url, 'orders', contradicting);
    expect(quarantined.body.data.verdict).toBe('quarantined');
    const stored = await everything();
    expect(stored).toContain('************4242');
    expect(stored).not.toContain(card);
  });

  it('is counted', async () => {
    const count = async () => (await server.metrics.webhooksMasked.get()).values[0]?.value ?? 0;
    const before = await count();
    await postText(withMeta(`{"note":"${card}"}`));
    await postText(withMeta('{"note":"none","cid":"1"}'));
    expect(await count()).toBe(before + 1);
  });
});

describe('numbers in metadata', () => {
  it.each(['9007199254740993', '12345678901234567890', '0.1234567890123456789'])(
    '%s is stored exactly',
    async (number) => {
      const body = orderBody({ meta: { n: 0 } });
      const answer = await postText(JSON.stringify(body).replace('"n":0', `"n":${number}`));
      expect(answer.status).toBe(202);
      const rows = await server.query(
        `select e.data -> 'meta' ->> 'n' as event, o.payload -> 'meta' ->> 'n' as outbox
       from order_events e join outbox o using (event_id) where order_id = $1`,
        [body.order_id],
      );
      expect(rows).toEqual([{ event: number, outbox: number }]);
    },
  );

  it('is stored exactly by a webhook that waited for its order', async () => {
    const order = orderBody();
    const waiting = chargebackBody({ order_id: order.order_id, dispute_id: `dp_${order.order_id}`, meta: { n: 0 } });
    const parked = await postText(JSON.stringify(waiting).replace('"n":0', '"n":9007199254740993'), 'chargebacks');
    expect(parked.body.data.verdict).toBe('parked');
    await postSilvergate(server.url, 'orders', order);
    const rows = await server.query(`select data -> 'meta' ->> 'n' as n from dispute_events where order_id = $1`, [
      order.order_id,
    ]);
    expect(rows).toEqual([{ n: '9007199254740993' }]);
  });

  it('named value may have a fraction', async () => {
    const body = orderBody({ meta: { value: 0.5, amount: 1.25 } });
    expect((await postSilvergate(server.url, 'orders', body)).status).toBe(202);
    const rows = await server.query(`select data -> 'meta' as meta from order_events where order_id = $1`, [
      body.order_id,
    ]);
    expect(rows).toEqual([{ meta: { value: 0.5, amount: 1.25 } }]);
  });
});

describe('currencies', () => {
  it.each(['BGN', 'HRK', 'ANG', 'STD', 'CHW'])('%s is stored', async (currency) => {
    const body = orderBody({ currency });
    expect((await postSilvergate(server.url, 'orders', body)).status).toBe(202);
    expect(await server.query('select currency from orders where order_id = $1', [body.order_id])).toEqual([
      { currency },
    ]);
  });
});
