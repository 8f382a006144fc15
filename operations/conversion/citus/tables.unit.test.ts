import { expect, test } from 'vitest';
import { placeOf } from './preflight.ts';
import { list, rowHash } from './tables.ts';

const columns = [
  { name: 'order_id', type: 'text' },
  { name: 'created_at', type: 'timestamp with time zone' },
  { name: 'content', type: 'bytea' },
];

test('columns are listed with their prefix', () => {
  expect(list(columns)).toBe('order_id, created_at, content');
  expect(list(columns.slice(0, 2), 'i.')).toBe('i.order_id, i.created_at');
});

test('the hash of a row depends on no setting of a session', () => {
  expect(rowHash(columns)).toBe(
    'hashtextextended(row(order_id, extract(epoch from created_at), md5(content))::text, 0)',
  );
});

test('a place is named without its password', () => {
  expect(placeOf('postgresql://owner:secret@127.0.0.1:5433/payments?sslmode=disable')).toBe('127.0.0.1:5433/payments');
});
