// Longer than 300 lines because every way to break one signature scheme stands together.
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { ZodError } from 'zod';
import { silvergate } from './silvergate.ts';

const key = Buffer.from('0123456789abcdef0123456789abcdef');
const secret = `whsec_${key.toString('base64')}`;
const otherSecret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
const now = new Date('2026-03-01T12:00:00.500Z');
const nowSeconds = Math.floor(now.getTime() / 1000);
const body = '{"provider_event_id":"evt_1","order_id":"ord_1"}';

/** Signs with the public library, which knows nothing of ours. */
function sign(text = body, options: { id?: string; seconds?: number; secret?: string } = {}) {
  const { id = 'evt_1', seconds = nowSeconds } = options;
  const signature = new Webhook(options.secret ?? secret).sign(id, new Date(seconds * 1000), text);
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': signature };
}

function verify(headers: Record<string, string>, rawBody: string | Buffer = body, secrets = [secret]): boolean {
  return silvergate.verify({ rawBody: Buffer.from(rawBody as string), headers, secrets, now });
}

const without = (name: string) => Object.fromEntries(Object.entries(sign()).filter(([key]) => key !== name));
const withSignature = (change: (signature: string) => string) => {
  const headers = sign();
  return { ...headers, 'webhook-signature': change(headers['webhook-signature']) };
};

describe('silvergate signatures', () => {
  test('what the public library signed is accepted', () => {
    expect(verify(sign())).toBe(true);
    expect(verify(sign('{"name":"Zoë 🦊"}'), '{"name":"Zoë 🦊"}')).toBe(true);
  });

  test('what we accept, the public library accepts too', () => {
    const seconds = Math.floor(Date.now() / 1000);
    const headers = sign(body, { seconds });
    expect(silvergate.verify({ rawBody: Buffer.from(body), headers, secrets: [secret], now: new Date() })).toBe(true);
    expect(() => new Webhook(secret).verify(body, headers)).not.toThrow();
  });

  test.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])('%s missing', (name) => {
    expect(verify(without(name) as Record<string, string>)).toBe(false);
    expect(verify({ ...sign(), [name]: '' })).toBe(false);
  });

  test.each([
    ['no version', (s: string) => s.slice(3)],
    ['truncated', (s: string) => s.slice(0, -4)],
    ['one character short', (s: string) => s.slice(0, -1)],
    ['padding twice', (s: string) => `${s}=`],
    [
      'unused bits set',
      (s: string) => s.replace(/(.)=$/, (_all, last) => `${String.fromCharCode(last.charCodeAt(0) + 1)}=`),
    ],
    ['hexadecimal digits', (s: string) => `v1,${Buffer.from(s.slice(3), 'base64').toString('hex')}`],
    [
      'URL-safe alphabet without padding',
      (s: string) => `v1,${Buffer.from(s.slice(3), 'base64').toString('base64url')}`,
    ],
    ['unknown version only', (s: string) => s.replace('v1,', 'v2,')],
    ['separated by a comma', (s: string) => `v1,AAAA,${s}`],
    ['not a signature', () => 'v1,'],
  ])('malformed: %s', (_name, change) => {
    expect(verify(withSignature(change))).toBe(false);
  });

  test.each(['abc', '-1', '1e9', ' 1', '01', '99999999999999999999', `${nowSeconds}.0`])('timestamp %j', (text) => {
    const headers = { ...sign(), 'webhook-timestamp': text };
    expect(verify(headers)).toBe(false);
  });

  test.each([
    [-301, false],
    [-300, true],
    [-299, true],
    [299, true],
    [300, true],
    [301, false],
  ])('signed at %i s from now', (offset, accepted) => {
    expect(verify(sign(body, { seconds: nowSeconds + offset }))).toBe(accepted);
  });

  test('another secret', () => {
    expect(verify(sign(body, { secret: otherSecret }))).toBe(false);
  });

  test('no active secret accepts nothing', () => {
    expect(verify(sign(), body, [])).toBe(false);
  });

  test('the former secret is accepted while both are active', () => {
    expect(verify(sign(body, { secret: otherSecret }), body, [secret, otherSecret])).toBe(true);
  });

  test('re-serialised body', () => {
    expect(verify(sign(), JSON.stringify(JSON.parse(body), null, 1))).toBe(false);
  });

  test('swapped id', () => {
    expect(verify({ ...sign(), 'webhook-id': 'evt_2' })).toBe(false);
  });

  test('bytes cannot move between id, timestamp and body', () => {
    const headers = sign(`1${body}`, { id: `evt_1.${nowSeconds}` });
    const moved = { ...headers, 'webhook-id': 'evt_1', 'webhook-timestamp': String(nowSeconds) };
    expect(verify(moved, `${nowSeconds}.1${body}`)).toBe(true);
    // The same bytes verify, and they are no JSON object, which the mapping refuses.
    expect(() => JSON.parse(`${nowSeconds}.1${body}`)).toThrow();
    expect(verify({ ...sign(), 'webhook-id': 'evt 1' })).toBe(false);
    expect(verify(sign(body, { id: '{"a":1' }))).toBe(false);
  });

  test('a valid signature third of four', () => {
    const bad = `v1,${Buffer.alloc(32).toString('base64')}`;
    expect(verify(withSignature((s) => [bad, 'v9,xyz', s, bad].join(' ')))).toBe(true);
  });

  test('ten signatures are looked at, more are refused even when one is valid', () => {
    const bad = `v1,${Buffer.alloc(32).toString('base64')}`;
    const many = (count: number) => withSignature((s) => [s, ...Array(count - 1).fill(bad)].join(' '));
    expect(verify(many(10))).toBe(true);
    expect(verify(many(11))).toBe(false);
    expect(verify(many(100))).toBe(false);
  });

  test('any change of one byte is refused', () => {
    const headers = sign();
    const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const;
    fc.assert(
      fc.property(
        fc.constantFrom('body', ...names),
        fc.nat(10_000),
        fc.integer({ min: 1, max: 127 }),
        (part, position, difference) => {
          const flip = (text: string) => {
            const bytes = Buffer.from(text);
            const index = position % bytes.length;
            bytes[index] = bytes[index]! ^ difference;
            return bytes;
          };
          if (part === 'body') return !verify(headers, flip(body) as unknown as string);
          return !verify({ ...headers, [part]: flip(headers[part]).toString('latin1') });
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('whatever was signed verifies', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[!-z|~]{1,40}$/),
        fc.json(),
        fc.integer({ min: -300, max: 300 }),
        fc.uint8Array({ minLength: 24, maxLength: 64 }),
        (id, text, offset, keyBytes) => {
          const ownSecret = `whsec_${Buffer.from(keyBytes).toString('base64')}`;
          const headers = sign(text, { id, seconds: nowSeconds + offset, secret: ownSecret });
          return silvergate.checkSecret(ownSecret) === undefined && verify(headers, text, [otherSecret, ownSecret]);
        },
      ),
    );
  });
});

describe('silvergate secrets', () => {
  test.each([
    '',
    'whsec_',
    'whsec_short',
    'abc',
    'whsec_!!!',
    key.toString('base64'),
    `${secret}=`,
    `whsec_${Buffer.alloc(65).toString('base64')}`,
  ])('%j is refused', (wrong) => {
    expect(silvergate.checkSecret(wrong)).toMatch(/^must /);
  });
});

const order = {
  provider_event_id: 'evt_1',
  order_id: 'ord_1',
  user_id: 'usr_1',
  status: 'created',
  amount_minor: 1250,
  currency: 'EUR',
  created_at: '2026-03-01T12:00:00Z',
  updated_at: '2026-03-01T13:00:00.250+01:00',
  meta: { channel: 'web' },
};
const chargeback = {
  provider_event_id: 'evt_2',
  order_id: 'ord_1',
  user_id: 'usr_1',
  status: 'opened',
  reason: 'fraud',
  amount_minor: '9007199254740993',
  currency: 'JPY',
  occurred_at: '2026-03-02T12:00:00Z',
};
const mapOrder = (change: object = {}) => silvergate.paths['payments/orders']!({ ...order, ...change })[0]!;
const mapChargeback = (change: object = {}) =>
  silvergate.paths['payments/chargebacks']!({ ...chargeback, ...change })[0]!;

function wrongFields(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    if (!(error instanceof ZodError)) throw error;
    return error.issues.map((issue) => (issue.code === 'unrecognized_keys' ? issue.keys.join() : issue.path.join('.')));
  }
  return [];
}

describe('silvergate orders', () => {
  test('all fields', () => {
    expect(mapOrder()).toEqual({
      target: 'order',
      providerEventId: 'evt_1',
      fingerprint: null,
      orderId: 'ord_1',
      userId: 'usr_1',
      status: 'created',
      introduces: true,
      amountMinor: 1250n,
      currency: 'EUR',
      providerUpdatedAt: new Date('2026-03-01T12:00:00.250Z'),
      attemptReference: null,
      payment: null,
      meta: { channel: 'web' },
    });
  });

  test('only the status created introduces an order; amount and meta may be left out', () => {
    const event = mapOrder({ status: 'success', amount_minor: undefined, currency: undefined, meta: undefined });
    expect(event).toMatchObject({ introduces: false, amountMinor: null, currency: null, meta: {} });
  });

  test.each([
    [{ extra: 1 }, 'extra'],
    [{ amount_minor: undefined }, 'amount_minor'],
    [{ currency: undefined }, 'currency'],
    [{ amount_minor: 0 }, 'amount_minor'],
    [{ amount_minor: -1 }, 'amount_minor'],
    [{ amount_minor: 10.001 }, 'amount_minor'],
    [{ amount_minor: '1e3' }, 'amount_minor'],
    [{ amount_minor: '１２' }, 'amount_minor'],
    [{ amount_minor: '9223372036854775808' }, 'amount_minor'],
    [{ currency: 'eur' }, 'currency'],
    [{ currency: 'XXX' }, 'currency'],
    [{ status: 'paid' }, 'status'],
    [{ order_id: 'x'.repeat(65) }, 'order_id'],
    [{ order_id: 'a b' }, 'order_id'],
    [{ user_id: '' }, 'user_id'],
    [{ provider_event_id: undefined }, 'provider_event_id'],
    [{ updated_at: '2026-03-01T13:00:00' }, 'updated_at'],
    [{ updated_at: '2026-03-01T11:00:00Z' }, 'updated_at'],
    [{ created_at: 'yesterday' }, 'created_at'],
    [{ meta: [] }, 'meta'],
    [{ meta: { text: 'x'.repeat(9_000) } }, 'meta'],
  ])('%j is refused and named', (change, field) => {
    expect(wrongFields(() => mapOrder(change))).toContain(field);
  });

  test.each([null, [], 'text', 1])('a body that is %j is refused', (input) => {
    expect(() => silvergate.paths['payments/orders']!(input)).toThrow(ZodError);
  });
});

describe('silvergate chargebacks', () => {
  test('opened, without an id of its own', () => {
    expect(mapChargeback()).toEqual({
      target: 'dispute',
      providerEventId: 'evt_2',
      fingerprint: null,
      disputeId: 'dp_ord_1',
      orderId: 'ord_1',
      userId: 'usr_1',
      attemptReference: null,
      funds: null,
      overrules: false,
      kind: 'webhook_opened',
      status: 'open',
      reason: 'fraud',
      amountMinor: 9007199254740993n,
      currency: 'JPY',
      providerUpdatedAt: new Date('2026-03-02T12:00:00Z'),
      evidenceDueAt: null,
      meta: {},
    });
  });

  test('a derived id is stable and never too long', () => {
    const long = 'o'.repeat(64);
    const first = mapChargeback({ order_id: long }) as { disputeId: string };
    const second = mapChargeback({ order_id: long, status: 'updated' }) as { disputeId: string };
    expect(first.disputeId).toBe(second.disputeId);
    expect(first.disputeId).toMatch(/^dp_[0-9a-f]{32}$/);
  });

  test.each([
    ['updated', {}, 'webhook_updated', 'under_review'],
    ['closed', {}, 'provider_decision', 'closed'],
    ['closed', { outcome: 'won' }, 'provider_decision', 'won'],
    ['closed', { outcome: 'lost' }, 'provider_decision', 'lost'],
    ['closed', { outcome: 'canceled' }, 'provider_decision', 'canceled'],
  ])('%s with %j', (status, meta, kind, expected) => {
    expect(mapChargeback({ status, meta })).toMatchObject({ kind, status: expected });
  });

  test.each([
    [{ status: 'closed', meta: { outcome: 'maybe' } }, 'meta.outcome'],
    [{ reason: '' }, 'reason'],
    [{ reason: 'line\nbreak' }, 'reason'],
    [{ amount_minor: undefined }, 'amount_minor'],
    [{ evidence_due_at: 'soon' }, 'evidence_due_at'],
    [{ updated_at: '2026-03-02T12:00:00Z' }, 'updated_at'],
  ])('%j is refused and named', (change, field) => {
    expect(wrongFields(() => mapChargeback(change))).toContain(field);
  });
});
