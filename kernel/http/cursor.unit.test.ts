import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCursors } from './cursor.ts';
import { AppError } from './errors.ts';

const cursors = createCursors('a secret of the tests');
const positions = fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 3 });
const filters = fc.record({ status: fc.constantFrom('created', 'failed', undefined), user_id: fc.string() });

function refusal(decode: () => unknown): unknown {
  try {
    return { decoded: decode() };
  } catch (error) {
    return error instanceof AppError ? error.code : error;
  }
}

test('what was encoded is decoded for the same list and filters', () => {
  fc.assert(
    fc.property(fc.string(), filters, positions, (list, given, position) => {
      const cursor = cursors.encode(list, given, position);
      expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(cursors.decode(list, given, cursor)).toEqual(position);
    }),
  );
});

test('the order in which filters are given does not matter', () => {
  const cursor = cursors.encode('orders', { status: 'failed', user_id: 'u1' }, ['1']);
  expect(cursors.decode('orders', { user_id: 'u1', status: 'failed', sort: undefined }, cursor)).toEqual(['1']);
});

test('a cursor is refused with other filters, for another list and under another secret', () => {
  fc.assert(
    fc.property(filters, filters, positions, (given, other, position) => {
      fc.pre(JSON.stringify(given) !== JSON.stringify(other));
      const cursor = cursors.encode('orders', given, position);
      expect(refusal(() => cursors.decode('orders', other, cursor))).toBe('invalid_cursor');
      expect(refusal(() => cursors.decode('disputes', given, cursor))).toBe('invalid_cursor');
      expect(refusal(() => createCursors('another secret').decode('orders', given, cursor))).toBe('invalid_cursor');
    }),
  );
});

test('a cursor with one changed, missing or added character is refused', () => {
  fc.assert(
    fc.property(positions, fc.nat(), fc.constantFrom(...'AZaz09-_.'), (position, at, letter) => {
      const cursor = cursors.encode('orders', {}, position);
      const index = at % cursor.length;
      const changed = cursor.slice(0, index) + letter + cursor.slice(index + 1);
      fc.pre(changed !== cursor);
      for (const forged of [changed, cursor.slice(0, index), cursor + letter]) {
        expect(refusal(() => cursors.decode('orders', {}, forged))).toBe('invalid_cursor');
      }
    }),
  );
});

test('garbage is refused', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String(), fc.string({ minLength: 1_100 })), (garbage) => {
      expect(refusal(() => cursors.decode('orders', {}, garbage))).toBe('invalid_cursor');
    }),
  );
});
