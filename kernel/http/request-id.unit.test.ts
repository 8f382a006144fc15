import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { requestIdOf } from './request-id.ts';

const idFor = (given: string | undefined) =>
  requestIdOf({ headers: { 'x-request-id': given } } as never as IncomingMessage);
const uuid = /^[0-9a-f-]{36}$/;

test('up to 128 printable characters are kept, whatever they are', () => {
  const printable = fc.string({
    unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
    minLength: 1,
    maxLength: 128,
  });
  fc.assert(fc.property(printable, (id) => idFor(id) === id));
  expect(idFor('x'.repeat(128))).toBe('x'.repeat(128));
  expect(idFor('7')).toBe('7');
});

test.each([undefined, '', 'x'.repeat(129), 'a\nb', 'a\tb', 'naïve', '\x7f'])('%j gets a new id', (given) => {
  expect(idFor(given)).toMatch(uuid);
});
