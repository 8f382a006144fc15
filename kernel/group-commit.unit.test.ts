import { describe, expect, it } from 'vitest';
import { createGroupCommit } from './group-commit.ts';

describe('group commit', () => {
  it('makes one batch of everything that came while the previous one ran', async () => {
    const batches: number[][] = [];
    const gates: (() => void)[] = [];
    const group = createGroupCommit<number, number>({
      apply: async (batch) => {
        batches.push(batch);
        await new Promise<void>((resolve) => gates.push(resolve));
        return batch.map((item) => item * 10);
      },
      maxBatch: 3,
      maxQueue: 100,
    });
    const first = group.add(1);
    await until(() => gates.length === 1);
    const others = [2, 3, 4, 5].map((item) => group.add(item));
    expect(group.length).toBe(4);
    gates[0]!();
    expect(await first).toBe(10);
    await until(() => gates.length === 2);
    gates[1]!();
    await until(() => gates.length === 3);
    gates[2]!();
    expect(await Promise.all(others)).toEqual([20, 30, 40, 50]);
    expect(batches).toEqual([[1], [2, 3, 4], [5]]);
    await group.idle();
  });

  it('refuses what does not fit into the queue, and goes on', async () => {
    const group = createGroupCommit<number, number>({ apply: async (batch) => batch, maxBatch: 10, maxQueue: 2 });
    const results = await Promise.allSettled([1, 2, 3].map((item) => group.add(item)));
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(await group.add(4)).toBe(4);
  });

  it('fails the items of a batch that threw, and only those', async () => {
    let fail = true;
    const group = createGroupCommit<number, number>({
      apply: async (batch) => {
        if (fail) throw new Error('broken');
        return batch;
      },
      maxBatch: 10,
      maxQueue: 10,
    });
    await expect(group.add(1)).rejects.toThrow('broken');
    fail = false;
    expect(await group.add(2)).toBe(2);
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
