import { expect, test } from 'vitest';
import { killOrder } from './kill-order.ts';

const names = ['primary', 'api', 'cdc'];

test('all parts in turn, or the chosen ones', () => {
  expect(killOrder(names, { kills: 4 })).toEqual(['primary', 'api', 'cdc', 'primary']);
  expect(killOrder(names, { kills: 3, parts: ['cdc', 'api'] })).toEqual(['cdc', 'api', 'cdc']);
});

test('a part that the system does not have is named with those that it has', () => {
  expect(() => killOrder(names, { kills: 1, parts: ['kafka'] })).toThrow(
    '--parts: there is no part kafka. Choose among primary, api, cdc.',
  );
});
