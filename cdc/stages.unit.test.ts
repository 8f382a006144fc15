import { expect, test } from 'vitest';
import type { SinkEvent } from '../stream/sink.ts';
import { StageWindows, sample, slowestStage, stageDurations } from './stages.ts';

test('each stage of the native path', () => {
  const times = { sentAtMs: 100, acceptedAtMs: 130, committedAtMs: 140, readAtMs: 145.5 };
  expect(stageDurations(times, 200)).toEqual({
    sent_to_accepted: 30,
    accepted_to_committed: 10,
    committed_to_read: 5.5,
    read_to_sunk: 54.5,
    committed_to_sunk: 60,
  });
});

test('each stage of the Kafka path, with and without the time of reading', () => {
  expect(stageDurations({ committedAtMs: 1, readAtMs: 3, publishedAtMs: 7 }, 20)).toEqual({
    committed_to_read: 2,
    read_to_published: 4,
    published_to_sunk: 13,
    committed_to_sunk: 19,
  });
  expect(stageDurations({ committedAtMs: 1, publishedAtMs: 7 }, 20)).toEqual({
    committed_to_published: 6,
    published_to_sunk: 13,
    committed_to_sunk: 19,
  });
});

test('rows of the initial load and clocks that are behind do not spoil the lag', () => {
  expect(stageDurations({ readAtMs: 5 }, 20)).toEqual({});
  expect(stageDurations({ committedAtMs: 10, readAtMs: 8 }, 12)).toMatchObject({ committed_to_read: 0 });
});

test('an event that was stored with the times of a past day has waited nowhere', () => {
  const day = 86_400_000;
  expect(stageDurations({ sentAtMs: 5, acceptedAtMs: 7, committedAtMs: day + 7, readAtMs: day + 9 }, day + 20)).toEqual(
    {
      sent_to_accepted: 2,
      committed_to_read: 2,
      read_to_sunk: 11,
      committed_to_sunk: 13,
    },
  );
});

test('a sample keeps the oldest and the newest', () => {
  const batch = Array.from({ length: 1_000 }, (_unused, index) => ({ times: { readAtMs: index } }) as SinkEvent);
  const times = sample(batch, 10).map((event) => event.times.readAtMs);
  expect(times.length).toBe(10);
  expect([times[0], times.at(-1)]).toEqual([0, 999]);
  expect(sample(batch.slice(0, 3), 10).length).toBe(3);
});

test('windows forget what is older than two of them', () => {
  let now = 0;
  const windows = new StageWindows(1_000, () => now);
  for (let value = 1; value <= 100; value += 1) windows.record('committed_to_read', value);
  windows.record('read_to_sunk', 5);
  expect(windows.summary().committed_to_read).toEqual({ count: 100, p50_ms: 50, p99_ms: 99, max_ms: 100 });
  now = 1_500;
  windows.record('committed_to_read', 7);
  expect(windows.summary().committed_to_read?.count).toBe(101);
  now = 2_600;
  expect(windows.summary().committed_to_read).toEqual({ count: 1, p50_ms: 7, p99_ms: 7, max_ms: 7 });
  now = 9_000;
  expect(windows.summary()).toEqual({});
});

test('windows go on turning when the clock is set back', () => {
  let now = 3_600_000;
  const windows = new StageWindows(1_000, () => now);
  windows.record('committed_to_read', 1);
  now = 0;
  windows.record('committed_to_read', 2);
  now = 1_500;
  expect(windows.summary().committed_to_read).toMatchObject({ count: 1, max_ms: 2 });
});

test('the slow stage is the one with the largest p99; the whole way is none', () => {
  const summary = (p99_ms: number) => ({ count: 1, p50_ms: 1, p99_ms, max_ms: p99_ms });
  expect(
    slowestStage({ committed_to_read: summary(5), read_to_sunk: summary(80), committed_to_sunk: summary(85) }),
  ).toBe('read_to_sunk');
  // How late the provider delivers is no matter of the service.
  expect(slowestStage({ sent_to_accepted: summary(900), committed_to_read: summary(5) })).toBe('committed_to_read');
  expect(slowestStage({})).toBeUndefined();
});
