import { expect, test } from 'vitest';
import { Batcher, type BatchLimits, batchToken } from './batcher.ts';
import { EventError, SinkError, type SinkEvent } from './sink.ts';

function event(id: number): SinkEvent {
  return {
    envelope: {
      event_id: `id-${id}`,
      type: 'order.hold_set',
      version: 1,
      aggregate_type: 'order',
      aggregate_id: 'o',
      user_id: 'u',
      sequence: BigInt(id),
      occurred_at: '2026-01-31T12:00:00Z',
      payload: '{}',
    },
    times: { committedAtMs: id },
  };
}

/** A batcher whose writes end when the test says so. */
function harness(
  limits: Partial<BatchLimits> = {},
  refuses: (event: SinkEvent) => boolean = () => false,
  nowMs = () => performance.now(),
  Refusal: new (message: string) => SinkError = SinkError,
) {
  const writes: { ids: string[]; token: string; end(error?: Error): void }[] = [];
  const log: string[] = [];
  let manual = true;
  let mark = 0;
  const batcher = new Batcher<number>({
    maxEvents: 3,
    maxBytes: 1_000,
    maxWaitMs: 10,
    ...limits,
    name: 'test',
    signal: new AbortController().signal,
    nowMs,
    sink: {
      write: (batch, token) => {
        if (batch.some(refuses)) return Promise.reject(new Refusal('does not fit'));
        const ids = batch.map(({ envelope }) => envelope.event_id);
        if (!manual) {
          writes.push({ ids, token, end: () => {} });
          return Promise.resolve();
        }
        return new Promise((resolve, reject) => {
          writes.push({ ids, token, end: (error) => (error ? reject(error) : resolve()) });
        });
      },
      close: async () => {},
    },
    capture: () => mark,
    sunk: (captured, batch) => void log.push(`sunk ${captured} ${batch.length}`),
    refused: async ({ envelope }) => void log.push(`refused ${envelope.event_id}`),
    failed: (error, captured) => void log.push(`failed ${captured} ${(error as Error).message}`),
    drained: () => void log.push('drained'),
  });
  return {
    batcher,
    writes,
    log,
    automatic: () => {
      manual = false;
    },
    add: (id: number, bytes = 1) => {
      mark = id;
      batcher.add(event(id), bytes);
    },
  };
}

const queued = () => new Promise((resolve) => setTimeout(resolve, 0));

test('a batch closes by number, by bytes, or after its time', async () => {
  const { batcher, writes, add } = harness();
  for (const id of [1, 2, 3]) add(id);
  expect(writes.map(({ ids }) => ids)).toEqual([['id-1', 'id-2', 'id-3']]);
  writes[0]!.end();
  await queued();
  add(4, 1_000);
  expect(writes[1]?.ids).toEqual(['id-4']);
  writes[1]!.end();
  await queued();
  add(5);
  expect(writes.length).toBe(2);
  await expect.poll(() => writes[2]?.ids, { interval: 1 }).toEqual(['id-5']);
  expect(batcher.busy).toBe(true);
});

test('a clock that is set back makes no batch wait longer', async () => {
  let stepMs = 0;
  const { writes, add } = harness({}, undefined, () => performance.now() - stepMs);
  for (const id of [1, 2, 3]) add(id);
  add(4);
  stepMs = 3_600_000;
  writes[0]!.end();
  await expect.poll(() => writes[1]?.ids, { interval: 1 }).toEqual(['id-4']);
});

test('one write at a time; it is full when the next batch is complete too', async () => {
  const { batcher, writes, log, add } = harness();
  for (const id of [1, 2, 3, 4, 5]) add(id);
  expect(batcher.full).toBe(false);
  add(6);
  expect(batcher.full).toBe(true);
  expect(writes.length).toBe(1);
  expect(batcher.oldestMs).toBe(1);
  writes[0]!.end();
  await queued();
  expect(writes.map(({ ids }) => ids.length)).toEqual([3, 3]);
  expect(log).toEqual(['sunk 3 3', 'drained']);
  expect(batcher.full).toBe(false);
  expect(batcher.oldestMs).toBe(4);
});

test('what a source may forget is what was known when the batch was closed', async () => {
  const { batcher, writes, log, add } = harness();
  for (const id of [1, 2, 3]) add(id);
  add(4);
  writes[0]!.end();
  await queued();
  expect(log[0]).toBe('sunk 3 3');
  const flushed = batcher.flush();
  await queued();
  writes[1]!.end();
  await flushed;
  expect(log.filter((line) => line.startsWith('sunk'))).toEqual(['sunk 3 3', 'sunk 4 1']);
});

test('touch without an event reports a position and writes nothing', async () => {
  const { batcher, writes, log } = harness();
  batcher.touch(true);
  await expect.poll(() => log, { interval: 1 }).toEqual(['sunk 0 0', 'drained']);
  expect(writes).toEqual([]);
  expect(batcher.busy).toBe(false);
});

test('an event that the sink refuses is put aside alone', async () => {
  const { batcher, writes, log, add, automatic } = harness(
    { maxEvents: 8 },
    ({ envelope }) => envelope.sequence === 5n,
  );
  automatic();
  for (const id of [1, 2, 3, 4, 5, 6, 7, 8]) add(id);
  await batcher.flush();
  expect(writes.flatMap(({ ids }) => ids)).toEqual(['id-1', 'id-2', 'id-3', 'id-4', 'id-6', 'id-7', 'id-8']);
  expect(log).toEqual(['refused id-5', 'sunk 8 8', 'drained']);
});

test('a sink that refuses everything ends in an alarm, not in a flood of dead letters', async () => {
  const { batcher, log, add } = harness({ maxEvents: 100, maxBytes: 1_000_000 }, () => true);
  for (let id = 1; id <= 100; id += 1) add(id);
  await batcher.flush();
  expect(log.filter((line) => line.startsWith('refused')).length).toBe(20);
  expect(log.at(-2)).toMatch(/^failed 100 The sink refuses/);
});

test('events that the store was never asked for are put aside, however many', async () => {
  const odd = ({ envelope }: SinkEvent) => envelope.sequence <= 50n;
  const { batcher, log, writes, add, automatic } = harness(
    { maxEvents: 100, maxBytes: 1_000_000 },
    odd,
    undefined,
    EventError,
  );
  automatic();
  for (let id = 1; id <= 100; id += 1) add(id);
  await batcher.flush();
  expect(log.filter((line) => line.startsWith('refused')).length).toBe(50);
  expect(writes.flatMap(({ ids }) => ids)).toHaveLength(50);
});

test('after a failure nothing more is written', async () => {
  const { batcher, writes, log, add } = harness();
  for (const id of [1, 2, 3, 4, 5, 6]) add(id);
  writes[0]!.end(new Error('gone'));
  await batcher.flush();
  add(7);
  await queued();
  expect(writes.length).toBe(1);
  expect(log[0]).toBe('failed 3 gone');
});

test('tokens are equal for equal events only', () => {
  const token = batchToken('s', [event(1), event(2)]);
  expect(batchToken('s', [event(1), event(2)])).toBe(token);
  expect(batchToken('s', [event(2), event(1)])).not.toBe(token);
  expect(batchToken('s', [event(1)])).not.toBe(token);
  expect(batchToken('t', [event(1), event(2)])).not.toBe(token);
});
