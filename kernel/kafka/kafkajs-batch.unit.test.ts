import { type EachBatchPayload, KafkaJSProtocolError } from 'kafkajs';
import { expect, test, vi } from 'vitest';
import { createBatchRunner } from './kafkajs-batch.ts';
import { type Batch, Postpone } from './port.ts';

const topic = 'webhooks.orders';

type Offsets = { topics: { topic: string; partitions: { partition: number; offset: string }[] }[] };

/** Batches as kafkajs hands them out; `commit` is what the broker does with the offsets that it is sent. */
function bench(commit: (offsets: Record<string, string>) => Promise<void> = async () => {}, maxMessages = 100) {
  const commits: Record<string, string>[] = [];
  const resolved: string[] = [];
  const paused: number[] = [];
  const errors: unknown[] = [];
  const onBatch = vi.fn(async (_batch: Batch): Promise<void> => {});
  const runner = createBatchRunner({
    run: { topics: [topic], onBatch, onError: (error, where) => errors.push([(error as Error).message, where]) },
    heartbeatMs: 60_000,
    maxMessages,
  });
  const handle = (partition: number, offsets: number[]): Promise<void> => {
    const messages = offsets.map((offset) => {
      return { offset: String(offset), key: null, value: Buffer.from('x'), headers: {}, timestamp: '0' };
    });
    return runner.handle({
      batch: { topic, partition, messages, highWatermark: String(offsets.at(-1)! + 1) },
      isRunning: () => true,
      isStale: () => false,
      heartbeat: async () => {},
      resolveOffset: (offset: string) => resolved.push(`${partition}:${offset}`),
      pause: () => {
        paused.push(partition);
        return () => {};
      },
      commitOffsetsIfNecessary: async ({ topics }: Offsets) => {
        const sent = topics.flatMap((each) => each.partitions.map(({ partition, offset }) => [partition, offset]));
        commits.push(Object.fromEntries(sent));
        await commit(commits.at(-1)!);
      },
    } as unknown as EachBatchPayload);
  };
  return { runner, handle, onBatch, commits, resolved, paused, errors };
}

test('partitions whose batches end together are committed in one request, each with its own offset', async () => {
  const { handle, commits, resolved } = bench();
  await Promise.all([handle(0, [4, 5]), handle(1, [10]), handle(2, [7, 8, 9])]);
  expect(commits).toEqual([{ 0: '6', 1: '11', 2: '10' }]);
  expect(resolved.toSorted()).toEqual(['0:5', '1:10', '2:9']);
});

test('what ends while a commit is under way shares the next one', async () => {
  const first = Promise.withResolvers<void>();
  const { handle, commits } = bench(({ 0: offset }) => (offset === '1' ? first.promise : Promise.resolve()));
  const running = [handle(0, [0])];
  await expect.poll(() => commits.length).toBe(1);
  running.push(handle(1, [0]), handle(2, [0]));
  await new Promise((resolve) => setImmediate(resolve));
  expect(commits).toHaveLength(1);
  first.resolve();
  await Promise.all(running);
  expect(commits).toEqual([{ 0: '1' }, { 1: '1', 2: '1' }]);
});

test('nothing is committed before its batch has ended', async () => {
  const { handle, onBatch, commits } = bench();
  const slow = Promise.withResolvers<void>();
  onBatch.mockImplementation((batch) => (batch.partition === 0 ? slow.promise : Promise.resolve()));
  const running = handle(0, [0, 1]);
  await handle(1, [0]);
  expect(commits).toEqual([{ 1: '1' }]);
  slow.resolve();
  await running;
  expect(commits).toEqual([{ 1: '1' }, { 0: '2' }]);
});

test('a batch that fails, or is postponed, is not committed by the commits of others', async () => {
  const { handle, onBatch, commits, resolved, paused, errors } = bench();
  onBatch.mockImplementation(async ({ partition }) => {
    if (partition === 0) throw new Error('not now');
    if (partition === 1) throw new Postpone(10_000);
  });
  await Promise.all([handle(0, [3]), handle(1, [3]), handle(2, [3])]);
  expect(commits).toEqual([{ 2: '4' }]);
  expect(resolved).toEqual(['2:3']);
  expect(paused.toSorted()).toEqual([0, 1]);
  expect(errors).toEqual([['not now', { topic, partition: 0, attempt: 1 }]]);
});

test('a batch in pieces is committed up to the piece before the one that failed', async () => {
  const { handle, onBatch, commits } = bench(undefined, 2);
  onBatch.mockImplementation(async ({ messages }) => {
    if (messages.some(({ offset }) => offset === 3n)) throw new Error('not now');
  });
  await handle(0, [0, 1, 2, 3, 4, 5]);
  expect(commits).toEqual([{ 0: '2' }]);
  expect(onBatch).toHaveBeenCalledTimes(2);
});

test('after the partitions are revoked nothing that was handed out is committed, resolved or gone on with', async () => {
  const { runner, handle, onBatch, commits, resolved } = bench(undefined, 1);
  const end = Promise.withResolvers<void>();
  onBatch.mockImplementation(() => end.promise);
  const running = [handle(0, [0, 1]), handle(1, [0, 1])];
  const { signal } = onBatch.mock.calls[0]![0];
  runner.revokeAll();
  expect(signal.aborted).toBe(true);
  end.resolve();
  await Promise.all(running);
  expect({ commits, resolved }).toEqual({ commits: [], resolved: [] });
  expect(onBatch).toHaveBeenCalledTimes(2);
  // What is handed out from now on belongs to the next membership.
  await handle(2, [5]);
  expect(commits).toEqual([{ 2: '6' }]);
});

test('a commit that is repeated leaves out what was revoked meanwhile', async () => {
  let attempt = 0;
  const { runner, handle, commits, resolved } = bench(async () => {
    attempt += 1;
    if (attempt > 1) return;
    runner.revokeAll();
    throw new Error('the connection broke');
  });
  await Promise.all([handle(0, [0]), handle(1, [0])]);
  expect(commits).toEqual([{ 0: '1', 1: '1' }]);
  expect(resolved).toEqual([]);
});

test('a commit that the broker could not take yet is repeated', async () => {
  let attempt = 0;
  const { handle, commits, resolved } = bench(async () => {
    attempt += 1;
    if (attempt === 1) throw new Error('the connection broke');
  });
  await Promise.all([handle(0, [0]), handle(1, [0])]);
  expect(commits).toEqual([
    { 0: '1', 1: '1' },
    { 0: '1', 1: '1' },
  ]);
  expect(resolved.toSorted()).toEqual(['0:0', '1:0']);
});

test('a member that the group has expelled hears so in each of its partitions, and goes on with none', async () => {
  const expelled = new KafkaJSProtocolError({ type: 'UNKNOWN_MEMBER_ID', code: 25, retriable: false } as never);
  const { handle, resolved } = bench(() => Promise.reject(expelled), 1);
  const ends = await Promise.allSettled([handle(0, [0, 1]), handle(1, [0, 1])]);
  expect(ends).toEqual([
    { status: 'rejected', reason: expelled },
    { status: 'rejected', reason: expelled },
  ]);
  expect(resolved).toEqual([]);
});
