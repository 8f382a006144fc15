import { expect, test } from 'vitest';
import { createPasswords } from './passwords.ts';

test('a hash is verified with the parameters that it names, and two hashes of one password differ', async () => {
  const passwords = createPasswords({ atOnce: 2, maxQueue: 10 });
  const [one, two] = await Promise.all([passwords.hash('a password'), passwords.hash('a password')]);
  expect(one).not.toBe(two);
  expect(await passwords.verify('a password', one)).toBe(true);
  expect(await passwords.verify('another one', one)).toBe(false);
  expect(await passwords.verify('a password', undefined)).toBe(false);
  // Of the tests of the reference implementation: https://github.com/P-H-C/phc-winner-argon2/blob/master/src/test.c
  const reference = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
  expect(await passwords.verify('password', reference)).toBe(true);
  expect(await passwords.verify('Password', reference)).toBe(false);
});

test('more than may wait are refused with a time, and the others are done', async () => {
  const passwords = createPasswords({ atOnce: 1, maxQueue: 2 });
  const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => passwords.hash('a password')));
  expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBe(3);
  for (const outcome of outcomes.slice(3)) {
    expect(outcome).toMatchObject({ reason: { code: 'rate_limited', retryAfterSeconds: 1 } });
  }
});
