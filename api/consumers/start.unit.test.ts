import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { serializeReceived } from '../../kernel/contract/received.ts';
import { deadLetterTopic, retryTopic, webhookTopics } from '../../kernel/contract/topics.ts';
import type { ReceivedWebhook } from '../../kernel/contract/webhooks.ts';
import type { Batch, ConsumerRun, KafkaClient, OutgoingMessage } from '../../kernel/kafka/port.ts';
import { createMetrics } from '../../kernel/metrics.ts';
import type { ApplyResult } from '../webhooks/apply.ts';
import { startConsumers } from './start.ts';
import { createStoreGate } from './store-gate.ts';

const { orders, disputes } = webhookTopics;

/** What the consumers do with batches of several partitions at once. `apply` stands for a transaction. */
async function start(
  apply: (ids: string[]) => Promise<(ApplyResult | undefined)[]>,
  maxBatch = 100,
  groupLag: KafkaClient['groupLag'] = async () => [],
) {
  const runs: ConsumerRun[] = [];
  const sent: OutgoingMessage[] = [];
  const transactions: string[][] = [];
  const kafka = {
    ensureTopics: async () => {},
    groupLag,
    createConsumer: () => ({
      run: async (run: ConsumerRun) => void runs.push(run),
      assigned: [],
      close: async () => {},
    }),
  } as unknown as KafkaClient;
  const logger = pino({ level: 'silent' });
  const consumers = startConsumers({
    kafka,
    logger,
    maxBatch,
    groupId: 'test',
    maxMessageBytes: 2_000,
    observeEveryMs: 60_000,
    producer: { send: async (messages) => void sent.push(...messages) },
    apply: async (batch) => {
      const ids = batch.map(({ event }) => event.providerEventId);
      transactions.push(ids);
      const results = await apply(ids);
      return ids.map((_id, index) => results[index] ?? applied);
    },
    store: createStoreGate({ probe: async () => {}, pauseMs: 1, logger, onPause: () => {} }),
    metrics: createMetrics({ service: 'api', topology: 'plain' }),
    now: () => new Date(10_000),
    random: () => 0.5,
  });
  stop = () => consumers.stop();
  await expect.poll(() => consumers.running, { interval: 1 }).toBe(true);
  const deliver = (topic: string, partition: number, values: string[]): Promise<void> =>
    runs.find(({ topics }) => topics.includes(topic))!.onBatch(batchOf(topic, partition, values));
  return { deliver, sent, transactions };
}

let stop: (() => Promise<void>) | undefined;
afterEach(() => stop?.());

const applied: ApplyResult = {
  outcome: { verdict: 'applied', reason: null, orderId: 'o', disputeId: null, sequence: 1n },
  commitLsn: 1n as never,
};

function batchOf(topic: string, partition: number, values: string[]): Batch {
  const messages = values.map((value, offset) => {
    return { offset: BigInt(offset), key: 'u', value: Buffer.from(value), headers: {}, timestampMs: 1 };
  });
  const { signal } = new AbortController();
  return { topic, partition, messages, signal, highWatermark: BigInt(values.length) };
}

function webhook(id: string): string {
  const given: ReceivedWebhook = {
    provider: 'silvergate',
    event: {
      target: 'order',
      providerEventId: id,
      fingerprint: null,
      orderId: `order-${id}`,
      userId: 'u1',
      status: 'created',
      attemptReference: null,
      payment: null,
      introduces: true,
      amountMinor: 100n,
      currency: 'EUR',
      meta: {},
      providerUpdatedAt: new Date(1_000),
    },
    bodySha256: 'a'.repeat(64),
    body: '{}',
    receivedAt: new Date(2_000),
    requestId: 'request-1',
    isReleased: false,
  };
  return serializeReceived(given);
}

test('stopping does not wait for a broker that leaves the question for the lag open', async () => {
  await start(
    async () => [],
    100,
    () => new Promise(() => {}),
  );
  await stop!();
  stop = undefined;
});

test('batches of several partitions share a transaction, and each is done after its COMMIT and not before', async () => {
  const commit = Promise.withResolvers<void>();
  const { deliver, transactions } = await start(async () => {
    await commit.promise;
    return [];
  });
  const done: string[] = [];
  const running = [
    deliver(orders, 0, [webhook('a'), webhook('b')]).then(() => done.push('orders/0')),
    deliver(orders, 1, [webhook('c')]).then(() => done.push('orders/1')),
    deliver(disputes, 0, [webhook('d')]).then(() => done.push('disputes/0')),
  ];
  await expect.poll(() => transactions, { interval: 1 }).toEqual([['a', 'b', 'c', 'd']]);
  expect(done).toEqual([]);
  commit.resolve();
  await Promise.all(running);
  expect(done).toHaveLength(3);
  expect(transactions).toHaveLength(1);
});

test('a transaction that fails as a whole fails every batch that has part in it, and none beside it', async () => {
  const { deliver, transactions } = await start(async (ids) => {
    if (ids.includes('a') && transactions.length === 1) throw new Error('a mistake of ours');
    return [];
  }, 3);
  const ends = await Promise.allSettled([
    deliver(orders, 0, [webhook('a'), webhook('b')]),
    deliver(orders, 1, [webhook('c')]),
    deliver(disputes, 0, [webhook('d')]),
  ]);
  expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  expect(transactions).toEqual([['a', 'b', 'c'], ['d']]);
  // They come again, whole.
  await Promise.all([deliver(orders, 0, [webhook('a'), webhook('b')]), deliver(orders, 1, [webhook('c')])]);
  expect(transactions.at(-1)).toEqual(['a', 'b', 'c']);
});

test('what fails for itself, or cannot be read, moves on alone; its neighbours of other partitions are applied', async () => {
  const refused: ApplyResult = { error: Object.assign(new Error('refused'), { code: '23514' }) };
  const { deliver, sent } = await start(async (ids) => ids.map((id) => (id === 'bad' ? refused : undefined)));
  await Promise.all([
    deliver(orders, 0, [webhook('a'), webhook('bad')]),
    deliver(orders, 1, ['poison', webhook('c')]),
    deliver(disputes, 0, [webhook('d')]),
  ]);
  const moved = sent.map(({ topic, headers }) => [topic, headers!['source-partition'], headers!['source-offset']]);
  expect(moved.toSorted()).toEqual([
    [deadLetterTopic(orders), '1', '0'],
    [retryTopic(orders), '0', '1'],
  ]);
});

test('while the store is away all partitions wait, in their order, and nothing is counted against a webhook', async () => {
  const away: ApplyResult = { error: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }) };
  let outages = 3;
  const effects: string[] = [];
  const { deliver, sent } = await start(async (ids) => {
    if (outages > 0) {
      outages -= 1;
      return ids.map(() => away);
    }
    effects.push(...ids);
    return [];
  });
  await Promise.all([
    deliver(orders, 0, [webhook('a1'), webhook('a2')]),
    deliver(orders, 1, [webhook('b1'), webhook('b2')]),
  ]);
  expect(effects.filter((id) => id.startsWith('a'))).toEqual(['a1', 'a2']);
  expect(effects.filter((id) => id.startsWith('b'))).toEqual(['b1', 'b2']);
  expect(sent).toEqual([]);
});
