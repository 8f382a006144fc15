import { expect, expectTypeOf, test } from 'vitest';
import { columnsOf, type NarrowedRow, type RowOf } from './columns.ts';

const rows = [
  { id: 'a', amount: 1n, at: null },
  { id: 'b', amount: 2n, at: new Date(0) },
];

test('one array a name, in the order of the names', () => {
  expect(columnsOf(rows, ['amount', 'id', 'at'])).toEqual([
    [1n, 2n],
    ['a', 'b'],
    [null, new Date(0)],
  ]);
});

test('an array a name also where there are no rows', () => {
  expect(columnsOf(rows.slice(2), ['id', 'at'])).toEqual([[], []]);
});

test('a name that the rows do not have does not compile', () => {
  // @ts-expect-error: no such column.
  expect(columnsOf(rows, ['id', 'amounts'])[1]).toEqual([undefined, undefined]);
  // @ts-expect-error: `amount` is no column of the type.
  columnsOf<{ id: string }, 'amount'>(rows, ['amount']);
});

test('rows have the types with which columns are read', () => {
  type Row = RowOf<'orders', 'order_id' | 'amount_minor' | 'created_at'>;
  expectTypeOf<Row>().toEqualTypeOf<{ order_id: string; amount_minor: bigint | null; created_at: Date }>();
  expectTypeOf<NarrowedRow<'orders', { status: 'created' }>['status']>().toEqualTypeOf<'created'>();
  expectTypeOf<NarrowedRow<'orders', { status: 'created' }>['sequence']>().toEqualTypeOf<bigint>();
});
