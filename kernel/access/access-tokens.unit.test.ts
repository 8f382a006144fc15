import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { createAccessTokens, InvalidTokenError, tokenMaxLength } from './access-tokens.ts';
import type { Principal } from './principal.ts';

const secret = 'a secret of the tests with 32 bytes';
const other = 'another secret, of another system!!';
const principal: Principal = { userId: 'user_1', role: 'operator' };
const start = Date.parse('2026-05-05T10:00:00Z');
let clockMs = start;
const tokens = createAccessTokens({ secrets: [secret], now: () => new Date(clockMs) });
const key = (text: string) => new TextEncoder().encode(text);

/** A token whose claims and header are right but for what is changed. */
function signed(claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}, by = secret) {
  const issuedAt = start / 1_000;
  return new SignJWT({
    iss: 'payments-lab',
    aud: 'payments-lab-api',
    sub: 'user_1',
    role: 'operator',
    iat: issuedAt,
    exp: issuedAt + 60,
    ...claims,
  })
    .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', ...header })
    .sign(key(by));
}

function at(ms: number): void {
  clockMs = start + ms;
}

const refused = (token: string) => expect(tokens.verify(token)).rejects.toThrow(InvalidTokenError);

test('what was signed is verified, and says who it is', async () => {
  at(0);
  expect(await tokens.verify(await tokens.sign(principal, 60))).toEqual(principal);
  expect(await tokens.verify(await signed())).toEqual(principal);
});

describe('time', () => {
  test('a token holds until its expiry and not at it, also when the clock steps', async () => {
    at(0);
    const token = await tokens.sign(principal, 60);
    at(59_999);
    expect(await tokens.verify(token)).toEqual(principal);
    at(60_000);
    await expect(tokens.verify(token)).rejects.toThrow('has expired');
    // A clock that was ahead and is set right makes valid again what it had ended too early.
    at(30_000);
    expect(await tokens.verify(token)).toEqual(principal);
    at(-300_000);
    expect(await tokens.verify(token)).toEqual(principal);
    at(86_400_000);
    await refused(token);
  });
});

describe('refused', () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const byHand = (header: object, claims: object, algorithm = 'sha256') => {
    const text = `${part(header)}.${part(claims)}`;
    return `${text}.${createHmac(algorithm, secret).update(text).digest('base64url')}`;
  };
  const claims = { iss: 'payments-lab', aud: 'payments-lab-api', sub: 'user_1', role: 'operator' };
  const times = { iat: start / 1_000, exp: start / 1_000 + 60 };

  test.each<[string, () => string | Promise<string>]>([
    ['of another key', () => signed({}, {}, other)],
    ['alg none, by the library', () => new UnsecuredJWT({ ...claims, ...times }).encode()],
    ['alg none, with a signature', () => byHand({ alg: 'none', typ: 'at+jwt' }, { ...claims, ...times })],
    ['another algorithm of the same key', () => signed({}, { alg: 'HS512' })],
    ['an algorithm that is not that of the signature', () => byHand({ alg: 'RS256', typ: 'at+jwt' }, claims)],
    ['no algorithm', () => byHand({ typ: 'at+jwt' }, { ...claims, ...times })],
    ['a critical extension', () => byHand({ alg: 'HS256', typ: 'at+jwt', crit: ['x'], x: 1 }, { ...claims, ...times })],
    ['another issuer', () => signed({ iss: 'elsewhere' })],
    ['another audience', () => signed({ aud: 'another-api' })],
    ['another kind of token', () => signed({}, { typ: 'JWT' })],
    ['no expiry', () => signed({ exp: undefined })],
    ['an expiry that is no number', () => byHand({ alg: 'HS256', typ: 'at+jwt' }, { ...claims, ...times, exp: '9' })],
    ['not valid yet', () => signed({ nbf: start / 1_000 + 60 })],
    ['no user', () => signed({ sub: undefined })],
    ['an empty user', () => signed({ sub: '' })],
    ['a user of another length', () => signed({ sub: 'x'.repeat(65) })],
    ['no role', () => signed({ role: undefined })],
    ['an unknown role', () => signed({ role: 'root' })],
    ['a role of Object.prototype', () => signed({ role: 'constructor' })],
    ['several roles', () => signed({ role: ['admin'] })],
    ['empty', () => ''],
    ['one part', () => 'abc'],
    ['two parts', () => 'abc.def'],
    ['five parts, as of an encrypted token', () => 'a.b.c.d.e'],
    ['no JSON', () => 'abc.def.ghi'],
    ['huge', () => 'x'.repeat(1_000_000)],
    ['huge and signed', () => signed({ padding: 'x'.repeat(tokenMaxLength) })],
  ])('%s', async (_what, make) => {
    at(0);
    await refused(await make());
  });

  test('any byte that is changed, and any text', async () => {
    at(0);
    const token = await tokens.sign(principal, 60);
    await fc.assert(
      fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(...'AZaz09-_.'), async (index, letter) => {
        const changed = token.slice(0, index) + letter + token.slice(index + 1);
        // The last letter of a base64url text of 32 bytes has bits that mean nothing.
        if (changed === token || index === token.length - 1) return;
        await refused(changed);
      }),
    );
    const texts = fc.asyncProperty(fc.string({ maxLength: 200 }), async (any) => {
      await refused(any);
    });
    await fc.assert(texts);
  });
});

test('during a rotation both secrets verify, and the new one signs', async () => {
  at(0);
  const rotated = createAccessTokens({ secrets: [other, secret], now: () => new Date(clockMs) });
  expect(await rotated.verify(await tokens.sign(principal, 60))).toEqual(principal);
  const fresh = await rotated.sign(principal, 60);
  expect(await rotated.verify(fresh)).toEqual(principal);
  await refused(fresh);
});

test('what was verified once is refused once it has expired, and a token like it is looked at anew', async () => {
  at(0);
  const token = await tokens.sign(principal, 60);
  for (let time = 0; time < 60_000; time += 10_000) {
    at(time);
    expect(await tokens.verify(token)).toEqual(principal);
    await refused(`${token.slice(0, -2)}${token.endsWith('AA') ? 'BB' : 'AA'}`);
  }
  at(60_000);
  await refused(token);
});

test('more tokens than are remembered are verified all the same', async () => {
  at(0);
  const few = createAccessTokens({ secrets: [secret], now: () => new Date(clockMs), remembered: 3 });
  const all = await Promise.all([...'abcde'].map((userId) => few.sign({ userId, role: 'customer' }, 60)));
  for (const round of [1, 2]) {
    for (const [n, token] of all.entries())
      expect([round, (await few.verify(token)).userId]).toEqual([round, 'abcde'[n]]);
  }
});
