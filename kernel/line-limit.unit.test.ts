import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLineLimit } from './line-limit.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a few lines of a kind in a second, then the number of those left out', () => {
  const lines: string[] = [];
  const limit = createLineLimit(3, (kind, count) => lines.push(`${kind} … and ${count} more`));
  for (let i = 1; i <= 344; i++) limit('away', () => lines.push(`away ${i}`));
  limit('other', () => lines.push('other 1'));
  expect(lines).toEqual(['away 1', 'away 2', 'away 3', 'other 1']);
  vi.advanceTimersByTime(1_000);
  expect(lines.slice(4)).toEqual(['away … and 341 more']);
  limit('away', () => lines.push('away again'));
  vi.advanceTimersByTime(2_000);
  expect(lines.slice(5)).toEqual(['away again']);
});
