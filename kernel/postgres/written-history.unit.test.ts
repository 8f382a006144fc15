import { expect, test } from 'vitest';
import { createWrittenHistory } from './written-history.ts';

test('knows where the primary stood at a moment, and nothing from before its beginning', () => {
  const history = createWrittenHistory(1_000);
  history.add(100, 10n);
  history.add(200, 20n);
  expect(history.at(99)).toBeUndefined();
  expect(history.at(199)).toBe(10n);
  expect(history.at(500)).toBe(20n);
});

test('a position is behind since the primary was first seen beyond it', () => {
  const history = createWrittenHistory(1_000);
  history.add(100, 10n);
  history.add(200, 20n);
  history.add(300, 30n);
  expect(history.behindMs(30n, 400)).toBe(0);
  expect(history.behindMs(25n, 400)).toBe(100);
  expect(history.behindMs(10n, 400)).toBe(200);
  expect(history.behindMs(5n, 400)).toBe(300);
});

test('an idle primary leaves no replica behind', () => {
  const history = createWrittenHistory(1_000);
  for (let at = 0; at < 900; at += 100) history.add(at, 10n);
  expect(history.behindMs(10n, 10_000)).toBe(0);
});

test('old entries go, and the lag that they proved stays at least as long as the history', () => {
  const history = createWrittenHistory(1_000);
  for (let at = 0; at <= 100_000; at += 100) history.add(at, BigInt(at));
  expect(history.at(50_000)).toBeUndefined();
  expect(history.at(99_000)).toBe(99_000n);
  expect(history.behindMs(1n, 100_000)).toBeGreaterThanOrEqual(1_000);
});
