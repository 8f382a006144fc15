import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { expect, test } from 'vitest';
import { withinTime } from './switch.ts';

/** A server that only notes what it is told. */
function openTarget() {
  const told: string[] = [];
  const query = async (text: string) => {
    told.push(text);
  };
  return { told, client: { query } as unknown as Client };
}

test('work of many short pieces ends when its time is up, and nothing of it stays', async () => {
  const { told, client } = openTarget();
  let pieces = 0;
  const work = async (goOn: () => void) => {
    for (; pieces < 1_000; pieces += 1) {
      goOn();
      await delay(5);
    }
  };
  await expect(withinTime(client, 50, work)).rejects.toMatchObject({ code: '57014' });
  expect(pieces).toBeLessThan(20);
  expect(told).toEqual([expect.stringMatching(/^begin; set local statement_timeout = 50$/), 'rollback']);
});

test('work that was in time is committed', async () => {
  const { told, client } = openTarget();
  expect(await withinTime(client, 1_000, async () => 7)).toBe(7);
  expect(told.at(-1)).toBe('commit');
});
