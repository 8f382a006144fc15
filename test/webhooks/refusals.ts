// Longer than 300 lines because the list of bad inputs is read as one table.
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rawClient } from '../http/raw-client.ts';
import {
  type Answer,
  answerOf,
  chargebackBody,
  currentSecret,
  formerSecret,
  orderBody,
  post,
  postSilvergate,
  silvergateHeaders,
  strangerSecret,
} from './signing.ts';

/** A service that takes webhooks, with the limits of the test. */
export interface WebhookTarget {
  url: string;
  /** How many webhooks it has stored: rows in the database, or messages in the broker. */
  stored(): Promise<number>;
  close(): Promise<void>;
}

/**
 * What every service that takes webhooks has to refuse, and with which words: API and gateway run the same cases, so
 * that a provider need not know which of them it talks to.
 */
export function testRefusals(
  start: (limits: { bodyMaxBytes: number; requestTimeoutMs: number }) => Promise<WebhookTarget>,
): void {
  let server: WebhookTarget;
  let ordersUrl: string;
  beforeAll(async () => {
    server = await start({ bodyMaxBytes: 8_192, requestTimeoutMs: 1_000 });
    ordersUrl = `${server.url}/webhooks/payments/orders`;
  });
  afterAll(() => server?.close());

  const stored = (): Promise<number> => server.stored();

  /** The answer to a request that must leave nothing behind. */
  async function refused(request: () => Promise<Answer>): Promise<Answer> {
    const before = await stored();
    const answer = await request();
    expect(await stored()).toBe(before);
    expect(answer.body).toMatchObject({ object: 'error', success: false, data: null });
    expect(JSON.stringify(answer.body)).not.toMatch(/select |insert |node_modules|\.ts:/i);
    return answer;
  }

  const text = (): string => JSON.stringify(orderBody());
  const secondsAgo = (seconds: number): Date => new Date(Date.now() - seconds * 1000);

  describe('signature failures: 401 with one uniform body', () => {
    const without = (name: string) => (body: string) => {
      const { [name]: _left, ...rest } = silvergateHeaders(body);
      return { body, headers: rest as Record<string, string> };
    };
    const withSignature = (change: (signature: string) => string) => (body: string) => {
      const headers = silvergateHeaders(body);
      return { body, headers: { ...headers, 'webhook-signature': change(headers['webhook-signature']!) } };
    };
    const at = (seconds: number) => (body: string) => ({
      body,
      headers: silvergateHeaders(body, { at: secondsAgo(seconds) }),
    });

    const cases: [string, (body: string) => { body: string; headers: Record<string, string> }][] = [
      ['no id', without('webhook-id')],
      ['no timestamp', without('webhook-timestamp')],
      ['no signature', without('webhook-signature')],
      [
        'a malformed timestamp',
        (body) => ({ body, headers: { ...silvergateHeaders(body), 'webhook-timestamp': 'soon' } }),
      ],
      ['a malformed signature', withSignature(() => 'v1,***')],
      ['a signature of the wrong length', withSignature((signature) => `${signature.slice(0, 20)}=`)],
      ['a truncated signature', withSignature((signature) => signature.slice(0, -1))],
      ['an unknown version only', withSignature((signature) => signature.replace('v1,', 'v9,'))],
      ['another tenant’s secret', (body) => ({ body, headers: silvergateHeaders(body, { secret: strangerSecret }) })],
      [
        'a re-serialised body',
        (body) => ({ body: JSON.stringify(JSON.parse(body), null, 1), headers: silvergateHeaders(body) }),
      ],
      ['a swapped id', (body) => ({ body, headers: { ...silvergateHeaders(body), 'webhook-id': 'msg_other' } })],
      ['a timestamp 301 s in the past', at(301)],
      ['a timestamp 301 s in the future', at(-302)],
      ['100 signatures', withSignature((signature) => Array(100).fill(signature).join(' '))],
      ['an empty body', () => ({ body: '', headers: silvergateHeaders('{}') })],
    ];

    it.each(cases)('%s', async (_name, make) => {
      const { body, headers } = make(text());
      const answer = await refused(() => post(ordersUrl, body, headers));
      expect(answer.status).toBe(401);
      const { trace_id: _id, ...rest } = answer.body;
      expect(rest).toEqual({
        object: 'error',
        success: false,
        data: null,
        error: { code: 'invalid_signature', message: 'The signature could not be verified.', details: {} },
      });
    });
  });

  describe('signatures that are accepted', () => {
    it.each([
      // A second less on the far side: the clock goes on between here and the server.
      ['299 s in the past', () => ({ at: secondsAgo(298) })],
      ['299 s in the future', () => ({ at: secondsAgo(-299) })],
      ['the former secret, in the overlap', () => ({ secret: formerSecret })],
    ])('%s', async (_name, signing) => {
      expect((await postSilvergate(server.url, 'orders', orderBody(), signing())).status).toBe(202);
    });

    it('the valid one third of four', async () => {
      const body = text();
      const headers = silvergateHeaders(body);
      const wrong = silvergateHeaders(body, { secret: strangerSecret })['webhook-signature'];
      headers['webhook-signature'] = [wrong, 'v9,abc', headers['webhook-signature'], wrong].join(' ');
      expect((await post(ordersUrl, body, headers)).status).toBe(202);
    });
  });

  describe('requests that are not a webhook', () => {
    it('unknown provider: 404', async () => {
      const answer = await refused(() => post(`${server.url}/webhooks/unknown`, '{}', silvergateHeaders('{}')));
      expect([answer.status, answer.body.error.code]).toEqual([404, 'unknown_provider']);
    });

    it.each(['GET', 'PUT', 'DELETE', 'PATCH'])('%s: 405 with Allow', async (method) => {
      const answer = await refused(async () => answerOf(await fetch(ordersUrl, { method })));
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
    });

    it.each([
      'text/plain',
      'application/x-www-form-urlencoded',
      '',
      'application/json; charset=utf-16',
      'application/json; version=1; charset="ISO-8859-1"',
    ])('content type %j: 415', async (type) => {
      const body = text();
      const answer = await refused(() =>
        post(ordersUrl, Buffer.from(body), { ...silvergateHeaders(body), 'content-type': type }),
      );
      expect(answer.status).toBe(415);
    });

    it.each(['application/json;charset=utf-8', 'Application/JSON; charset="UTF-8"', 'application/json; version=1'])(
      'content type %j is taken',
      async (type) => {
        const body = text();
        const headers = { ...silvergateHeaders(body), 'content-type': type };
        expect((await post(ordersUrl, Buffer.from(body), headers)).status).toBe(202);
      },
    );

    it('an unknown content encoding: 415', async () => {
      const body = text();
      const answer = await refused(() =>
        post(ordersUrl, body, { ...silvergateHeaders(body), 'content-encoding': 'zip' }),
      );
      expect(answer.status).toBe(415);
    });
  });

  describe('size and time', () => {
    const large = JSON.stringify(orderBody({ meta: { note: 'x'.repeat(9_000) } }));

    it('over size: 413', async () => {
      expect((await refused(() => post(ordersUrl, large, silvergateHeaders(large)))).status).toBe(413);
    });

    it('over size and chunked: 413', async () => {
      const stream = new ReadableStream({
        start(controller) {
          for (let i = 0; i < large.length; i += 1_000)
            controller.enqueue(new TextEncoder().encode(large.slice(i, i + 1_000)));
          controller.close();
        },
      });
      const request = () =>
        fetch(ordersUrl, {
          method: 'POST',
          body: stream,
          headers: silvergateHeaders(large),
          duplex: 'half',
        } as RequestInit);
      expect((await refused(async () => answerOf(await request()))).status).toBe(413);
    });

    it('over size after decompression: 413', async () => {
      const packed = gzipSync(large);
      expect(packed.length).toBeLessThan(1_000);
      const headers = { ...silvergateHeaders(large), 'content-encoding': 'gzip' };
      expect((await refused(() => post(ordersUrl, packed, headers))).status).toBe(413);
    });

    it('a compressed body within the limit is accepted', async () => {
      const body = text();
      const headers = { ...silvergateHeaders(body), 'content-encoding': 'gzip' };
      expect((await post(ordersUrl, gzipSync(body), headers)).status).toBe(202);
    });

    const rawRequest = (body: string, length: number): string => {
      const headers = Object.entries({
        ...silvergateHeaders(body),
        host: 'localhost',
        'content-length': String(length),
      });
      return `POST /webhooks/payments/orders HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}`).join('\r\n')}\r\n\r\n`;
    };
    const openSocket = async () => {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    };

    it.each([
      ['declared', ''],
      ['declared behind Expect: 100-continue', 'expect: 100-continue\r\n'],
    ])('over size as %s: 413 before any of it was sent', async (_name, expectation) => {
      const before = await stored();
      const client = await rawClient(Number(new URL(server.url).port));
      client.socket.write(rawRequest(large, large.length).replace(/\r\n\r\n$/, `\r\n${expectation}\r\n`));
      const answer = await client.closed();
      expect(answer).toMatch(/^HTTP\/1\.1 413 .*"code":"payload_too_large"/s);
      expect(answer).not.toContain('100 Continue');
      expect(await stored()).toBe(before);
      client.socket.destroy();
    });

    it('a client that closes its sending side after a whole webhook hears that it was stored', async () => {
      const before = await stored();
      const body = text();
      const client = await rawClient(Number(new URL(server.url).port));
      client.socket.end(rawRequest(body, body.length) + body);
      expect(await client.closed()).toMatch(/^HTTP\/1\.1 202 /);
      expect(await stored()).toBe(before + 1);
      client.socket.destroy();
    });

    it('a webhook that is followed by garbage is answered first', async () => {
      const before = await stored();
      const body = text();
      const client = await rawClient(Number(new URL(server.url).port));
      client.socket.write(`${rawRequest(body, body.length)}${body}no HTTP at all\r\n\r\n`);
      expect(await client.closed()).toMatch(/^HTTP\/1\.1 202 /);
      expect(await stored()).toBe(before + 1);
      client.socket.destroy();
    });

    it('a slow body: 408, and nothing is stored', async () => {
      const before = await stored();
      const body = text();
      const socket = await openSocket();
      socket.write(rawRequest(body, body.length) + body.slice(0, 10));
      let answer = '';
      socket.on('data', (chunk) => {
        answer += chunk;
      });
      await once(socket, 'close');
      expect(answer).toMatch(/^HTTP\/1\.1 408 /);
      expect(answer).toContain('"code":"request_timeout"');
      expect(await stored()).toBe(before);
    });

    it('an aborted body: nothing is stored', async () => {
      const before = await stored();
      const body = text();
      const socket = await openSocket();
      socket.write(rawRequest(body, body.length) + body.slice(0, -1));
      socket.destroy();
      await once(socket, 'close');
      // A later webhook has passed the same queue, so that the aborted one would be stored by now.
      await postSilvergate(server.url, 'orders', orderBody());
      expect(await stored()).toBe(before + 1);
    });
  });

  describe('signed bodies that are refused: 400', () => {
    it.each<[string, string, string]>([
      ['malformed JSON', '{"order_id":', 'malformed_body'],
      ['not an object', '[]', 'invalid_request'],
      ['NUL in a string', JSON.stringify(orderBody({ meta: { note: 'a\u0000b' } })), 'malformed_body'],
      ['__proto__', `{"__proto__": {"a": 1}, ${text().slice(1)}`, 'malformed_body'],
      ['escaped __proto__', `{"\\u005f_proto__": {"a": 1}, ${text().slice(1)}`, 'malformed_body'],
      ['__proto__ with another letter escaped', `{"__\\u0070roto__": 1, ${text().slice(1)}`, 'malformed_body'],
      ['half of a surrogate pair', JSON.stringify(orderBody({ meta: { note: 'a\ud83d' } })), 'malformed_body'],
      ['a byte order mark', `\ufeff${text()}`, 'malformed_body'],
      [
        'deep nesting',
        JSON.stringify(orderBody()).replace(/}$/, `,"meta":${'{"a":'.repeat(60)}1${'}'.repeat(60)}}`),
        'malformed_body',
      ],
      ['an amount in exponent notation', text().replace('1999', '1e3'), 'invalid_request'],
      [
        'an amount in exponent notation under an escaped name',
        text().replace('"amount_minor":1999', '"amount\\u005fminor":1e3'),
        'invalid_request',
      ],
      ['an amount with decimals', text().replace('1999', '10.001'), 'invalid_request'],
      ['an amount with decimals of zero', text().replace('1999', '10.0'), 'invalid_request'],
      ['a number above all doubles', text().replace(/}$/, ',"meta":{"n":1e400}}'), 'malformed_body'],
      ['a number below all doubles', text().replace(/}$/, ',"meta":{"n":-1e-400}}'), 'malformed_body'],
      ['a number of 1,000 digits', text().replace(/}$/, `,"meta":{"n":0.${'1'.repeat(1_000)}}}`), 'malformed_body'],
      ['an amount that loses digits', text().replace('1999', '9007199254740993'), 'invalid_request'],
      ['an amount over int8', text().replace('1999', '"9223372036854775808"'), 'invalid_request'],
      ['full-width digits', JSON.stringify(orderBody({ amount_minor: '１２' })), 'invalid_request'],
      ['an exponent in a string', JSON.stringify(orderBody({ amount_minor: '1e3' })), 'invalid_request'],
      ['amount 0', JSON.stringify(orderBody({ amount_minor: 0 })), 'invalid_request'],
      ['a negative amount', JSON.stringify(orderBody({ amount_minor: -5 })), 'invalid_request'],
      ['an unknown currency', JSON.stringify(orderBody({ currency: 'XYZ' })), 'invalid_request'],
      ['an unknown field', JSON.stringify(orderBody({ surprise: 1 })), 'invalid_request'],
      ['a malformed id', JSON.stringify(orderBody({ order_id: '../etc' })), 'invalid_request'],
      [
        'a timestamp without offset',
        JSON.stringify(orderBody({ updated_at: '2026-01-31T12:00:00' })),
        'invalid_request',
      ],
      ['a year before 1970', JSON.stringify(orderBody({ created_at: '0001-01-01T00:00:00Z' })), 'invalid_request'],
      [
        'a year that has five digits in UTC',
        JSON.stringify(orderBody({ updated_at: '9999-12-31T23:59:59-01:00' })),
        'invalid_request',
      ],
      ['an unknown status', JSON.stringify(orderBody({ status: 'paid' })), 'invalid_request'],
    ])('%s', async (_name, body, code) => {
      const answer = await refused(() => post(ordersUrl, body, silvergateHeaders(body)));
      expect([answer.status, answer.body.error.code]).toEqual([400, code]);
    });

    it('invalid UTF-8', async () => {
      const body = Buffer.from(text().replace('EUR', 'E\u00ff\u00fe'), 'latin1');
      const timestamp = String(Math.floor(Date.now() / 1000));
      const key = Buffer.from(currentSecret.slice(6), 'base64');
      const signature = createHmac('sha256', key).update(`msg_1.${timestamp}.`).update(body).digest('base64');
      const headers = {
        'content-type': 'application/json',
        'webhook-id': 'msg_1',
        'webhook-timestamp': timestamp,
        'webhook-signature': `v1,${signature}`,
      };
      const answer = await refused(() => post(ordersUrl, body, headers));
      expect([answer.status, answer.body.error.code]).toEqual([400, 'malformed_body']);
    });

    it('names every wrong field', async () => {
      const body = JSON.stringify(orderBody({ order_id: '', currency: 'eur' }));
      const answer = await refused(() => post(ordersUrl, body, silvergateHeaders(body)));
      expect(answer.body.error.details.fields.map((entry: { field: string }) => entry.field)).toEqual(
        expect.arrayContaining(['order_id', 'currency']),
      );
    });
  });

  describe('chargebacks', () => {
    it.each([
      ['unknown status', { status: 'won' }, 'status'],
      ['no reason', { reason: undefined }, 'reason'],
      ['a reason that is too long', { reason: 'r'.repeat(129) }, 'reason'],
      ['no amount', { amount_minor: undefined }, 'amount_minor'],
      ['a malformed due date', { evidence_due_at: 'tomorrow' }, 'evidence_due_at'],
    ])('%s: 400 that names the field', async (_name, change, field) => {
      const body = JSON.stringify(chargebackBody(change));
      const url = `${server.url}/webhooks/payments/chargebacks`;
      const answer = await refused(() => post(url, body, silvergateHeaders(body)));
      expect(answer.status).toBe(400);
      expect(answer.body.error.message).toContain(field);
    });
  });
}
