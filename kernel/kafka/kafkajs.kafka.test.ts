// Longer than 300 lines because one running broker serves all of these tests.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { type Broker, startBroker } from '../../runtime/native/kafka/broker.ts';
import { missingForKafka } from '../../runtime/native/kafka/missing.ts';
import { createRunDirectory, type RunDirectory } from '../../runtime/native/run-directory.ts';
import { describeIf } from '../../test/skip.ts';
import { createLogger } from '../logging.ts';
import { createKafkaClient } from './kafkajs.ts';
import { type Batch, type KafkaClient, KafkaError, type KafkaMessage, Postpone, type TopicSpec } from './port.ts';

describeIf('Kafka port over kafkajs', await missingForKafka(), () => {
  let run: RunDirectory;
  let broker: Broker;
  let client: KafkaClient;
  const warnings: string[] = [];
  const onWarning = (warning: Error) => warnings.push(warning.name);

  beforeAll(async () => {
    process.on('warning', onWarning);
    run = await createRunDirectory();
    // Shorter sessions than a broker usually accepts, so that their end need not be waited for so long.
    broker = await startBroker({ runDirectory: run.path });
    client = newClient();
  });
  afterAll(async () => {
    process.off('warning', onWarning);
    await client?.close();
    await run.close();
  });

  const newClient = () =>
    createKafkaClient({
      brokers: [broker.bootstrapServers],
      clientId: 'lab-test',
      logger: createLogger({ service: 'test', level: 'silent' }),
    });

  let topicNumber = 0;
  async function newTopic(spec: Partial<TopicSpec> = {}): Promise<string> {
    topicNumber += 1;
    const topic = { name: `test.${topicNumber}`, partitions: 2, settings: { 'retention.ms': '3600000' }, ...spec };
    await client.ensureTopics([topic]);
    return topic.name;
  }

  /** Everything that the topic holds, by partition. */
  async function readAll(topic: string): Promise<KafkaMessage[][]> {
    const offsets = await client.topicOffsets(topic);
    const found: KafkaMessage[][] = offsets.map(() => []);
    const open = new Set(offsets.filter(({ start, end }) => end > start).map(({ partition }) => partition));
    const consumer = newClient().createConsumer({ groupId: `read-${topic}-${Math.random()}` });
    await consumer.run({
      topics: [topic],
      onBatch: async ({ partition, messages }) => {
        found[partition]!.push(...messages);
        if (messages.at(-1)!.offset + 1n >= offsets[partition]!.end) open.delete(partition);
      },
    });
    await expect.poll(() => open.size, { timeout: 20_000 }).toBe(0);
    await consumer.close();
    return found;
  }

  const textOf = (message: KafkaMessage) => message.value!.toString();

  async function killBroker(): Promise<void> {
    broker.kill('SIGKILL');
    await expect.poll(() => client.ping(500).catch(() => 'away'), { timeout: 5_000 }).toBe('away');
  }

  test('keys, values, headers and tombstones arrive as they were sent', async () => {
    const topic = await newTopic({ partitions: 1 });
    const producer = client.createProducer();
    const before = Date.now();
    await producer.send([
      { topic, key: 'schlüssel', value: Buffer.from([0, 255, 10]), headers: { 'correlation-id': 'ä 1', empty: '' } },
      { topic, key: null, value: 'text' },
      { topic, key: 'gone', value: null },
    ]);
    const [[first, second, third]] = (await readAll(topic)) as [KafkaMessage[]];
    expect(first).toMatchObject({ offset: 0n, key: 'schlüssel', headers: { 'correlation-id': 'ä 1', empty: '' } });
    expect([...first!.value!]).toEqual([0, 255, 10]);
    expect(first!.timestampMs).toBeGreaterThanOrEqual(before);
    expect(second).toMatchObject({ key: null, headers: {} });
    expect(third).toMatchObject({ key: 'gone', value: null });
    await producer.close();
    await expect(producer.send([{ topic, key: null, value: 'late' }])).rejects.toMatchObject({ code: 'closed' });
  });

  test('a key stays in one partition and in the order of the calls', async () => {
    const topic = await newTopic({ partitions: 4 });
    const producer = client.createProducer();
    const sends: Promise<void>[] = [];
    for (let number = 0; number < 2_000; number += 1) {
      sends.push(producer.send([{ topic, key: `user-${number % 20}`, value: String(number) }]));
    }
    await Promise.all(sends);
    expect(producer.queuedMessages).toBe(0);
    const partitions = await readAll(topic);
    expect(partitions.flat()).toHaveLength(2_000);
    for (let user = 0; user < 20; user += 1) {
      const holding = partitions.filter((messages) => messages.some(({ key }) => key === `user-${user}`));
      expect(holding).toHaveLength(1);
      const numbers = holding[0]!.filter(({ key }) => key === `user-${user}`).map((message) => Number(textOf(message)));
      expect(numbers).toEqual(Array.from({ length: 100 }, (_, index) => index * 20 + user));
    }
  });

  test('topics are made with their settings, grown and changed, but never by writing to them', async () => {
    const topic = await newTopic({ partitions: 1 });
    const grown = { name: topic, partitions: 3, settings: { 'retention.ms': '7200000', 'max.message.bytes': '5000' } };
    await Promise.all([client.ensureTopics([grown]), newClient().ensureTopics([grown])]);
    expect(await client.topicOffsets(topic)).toHaveLength(3);
    const producer = client.createProducer({ timeoutMs: 3_000 });
    const tooLarge = producer.send([{ topic, key: null, value: Buffer.alloc(6_000) }]);
    await expect(tooLarge).rejects.toMatchObject({
      code: 'message_too_large',
      message: expect.stringContaining(topic),
    });
    const missing = producer.send([{ topic: 'test.missing', key: null, value: 'x' }]);
    await expect(missing).rejects.toMatchObject({
      code: 'unknown_topic',
      message: expect.stringMatching(/test\.missing/),
    });
    await expect(client.topicOffsets('test.missing')).rejects.toMatchObject({ code: 'unknown_topic' });
    await expect(client.groupLag('unused', [topic, 'test.missing'])).rejects.toThrow(
      /The topic test\.missing does not/,
    );
  });

  test('messages that are too large together for one batch travel in several', async () => {
    const topic = await newTopic({ partitions: 1, settings: { 'max.message.bytes': '20000' } });
    const producer = client.createProducer();
    const value = Buffer.alloc(3_000, 'x');
    await producer.send(Array.from({ length: 50 }, () => ({ topic, key: 'k', value })));
    expect((await client.topicOffsets(topic))[0]!.end).toBe(50n);
  });

  test('one message that the broker refuses does not take others with it', async () => {
    const topic = await newTopic({ partitions: 1 });
    const producer = client.createProducer();
    await producer.send([{ topic, key: 'k', value: 'first' }]);
    // The limit shrinks behind the producer's back, so only the broker knows.
    await client.ensureTopics([{ name: topic, partitions: 1, settings: { 'max.message.bytes': '2000' } }]);
    // It answers before it keeps to it.
    const sendLarge = () => producer.send([{ topic, key: 'k', value: Buffer.alloc(4_000) }]).catch(({ code }) => code);
    await expect.poll(sendLarge).toBe('message_too_large');
    const sends = Array.from({ length: 9 }, (_, index) =>
      producer.send([{ topic, key: 'k', value: index === 4 ? Buffer.alloc(4_000) : String(index) }]),
    );
    const results = await Promise.allSettled(sends);
    expect(results.map(({ status }) => status)).toEqual(
      Array.from({ length: 9 }, (_, index) => (index === 4 ? 'rejected' : 'fulfilled')),
    );
    expect(await sends[4]!.catch((error) => error)).toMatchObject({ code: 'message_too_large' });
    const values = new Set((await readAll(topic)).flat().map(textOf));
    for (const [index, { status }] of results.entries()) expect(values.has(String(index))).toBe(status === 'fulfilled');
  });

  test('a consumer of a missing topic is told its name', async () => {
    const consumer = client.createConsumer({ groupId: 'missing' });
    const joining = consumer.run({ topics: ['test.absent'], onBatch: async () => {} });
    await expect(joining).rejects.toMatchObject({
      code: 'unknown_topic',
      message: expect.stringMatching(/test\.absent/),
    });
    // The same consumer may try again once the topic is there.
    await newTopic({ name: 'test.absent' });
    await consumer.run({ topics: ['test.absent'], onBatch: async () => {} });
    await consumer.close();
  });

  test('offsets move after onBatch resolves and not before; lag tells what is left', async () => {
    const topic = await newTopic({ partitions: 1 });
    const producer = client.createProducer();
    await producer.send(Array.from({ length: 5 }, (_, index) => ({ topic, key: 'k', value: String(index) })));
    const hold = Promise.withResolvers<void>();
    const started = Promise.withResolvers<Batch>();
    const consumer = newClient().createConsumer({ groupId: 'effects', maxBatchMessages: 3 });
    await consumer.run({
      topics: [topic],
      onBatch: async (batch) => {
        started.resolve(batch);
        await hold.promise;
      },
    });
    const { messages, highWatermark } = await started.promise;
    expect(messages.map(textOf)).toEqual(['0', '1', '2']);
    expect(highWatermark).toBe(5n);
    expect(await client.groupLag('effects', [topic])).toEqual([
      { topic, partition: 0, committed: null, end: 5n, lag: 5n },
    ]);
    hold.resolve();
    await expect.poll(async () => (await client.groupLag('effects', [topic]))[0]!.lag).toBe(0n);
    await consumer.close();
  });

  test('a batch that fails comes again, whole, while other partitions go on; a postponed one is no failure', async () => {
    const topic = await newTopic({ partitions: 2 });
    const seen: string[] = [];
    const errors: unknown[] = [];
    const consumer = newClient().createConsumer({ groupId: 'failing' });
    let failures = 0;
    let postponed = false;
    await consumer.run({
      topics: [topic],
      onError: (error, { attempt }) => errors.push([(error as Error).message, attempt]),
      onBatch: async ({ messages }) => {
        const values = messages.map(textOf);
        if (values.includes('bad') && failures < 3) {
          failures += 1;
          throw new Error('not now');
        }
        if (values.includes('bad') && !postponed) {
          postponed = true;
          throw new Postpone(50);
        }
        seen.push(...values);
      },
    });
    const producer = client.createProducer();
    const keys = await keysByPartition(producer, topic);
    await expect.poll(() => seen.length, { timeout: 10_000 }).toBe(40);
    await producer.send([{ topic, key: keys[0]!, value: 'bad' }]);
    await producer.send([{ topic, key: keys[1]!, value: 'good' }]);
    await expect.poll(() => seen.slice(40), { timeout: 10_000 }).toEqual(['good', 'bad']);
    expect(errors).toEqual([1, 2, 3].map((attempt) => ['not now', attempt]));
    await consumer.close();
    expect((await client.groupLag('failing', [topic])).map(({ lag }) => lag)).toEqual([0n, 0n]);
  });

  /** Writes forty messages and finds a key for each of two partitions. */
  async function keysByPartition(
    producer: ReturnType<KafkaClient['createProducer']>,
    topic: string,
  ): Promise<string[]> {
    await producer.send(Array.from({ length: 40 }, (_, index) => ({ topic, key: `k${index}`, value: 'fill' })));
    return (await readAll(topic)).map((messages) => messages[0]!.key!);
  }

  test('a batch longer than the session keeps its member in the group', async () => {
    const topic = await newTopic({ partitions: 1 });
    await client.createProducer().send([{ topic, key: 'k', value: 'slow' }]);
    const assignments = vi.fn();
    let calls = 0;
    const consumer = newClient().createConsumer({ groupId: 'slow', sessionTimeoutMs: 1_500 });
    await consumer.run({
      topics: [topic],
      onAssignment: assignments,
      onBatch: async () => {
        calls += 1;
        await delay(3_000);
      },
    });
    await expect.poll(async () => (await client.groupLag('slow', [topic]))[0]!.lag, { timeout: 15_000 }).toBe(0n);
    expect(calls).toBe(1);
    expect(assignments).toHaveBeenCalledTimes(1);
    await consumer.close();
  });

  test('two members with a rebalance in the middle of a batch neither lose nor skip, and commit nothing stale', async () => {
    const topic = await newTopic({ partitions: 4 });
    const producer = client.createProducer();
    const total = 600;
    const effects = new Map<string, number>();
    const join = async (name: string) => {
      const consumer = newClient().createConsumer({ groupId: 'rebalanced', maxBatchMessages: 20 });
      await consumer.run({
        topics: [topic],
        onBatch: async ({ messages }) => {
          await delay(30);
          for (const message of messages) effects.set(textOf(message), (effects.get(textOf(message)) ?? 0) + 1);
        },
      });
      return { name, consumer };
    };
    const first = await join('first');
    expect(first.consumer.assigned).toHaveLength(4);
    const sending = (async () => {
      for (let number = 0; number < total; number += 10) {
        await producer.send(
          Array.from({ length: 10 }, (_, index) => ({ topic, key: `k${index}`, value: String(number + index) })),
        );
      }
    })();
    const second = await join('second');
    await expect.poll(() => [first.consumer.assigned.length, second.consumer.assigned.length]).toEqual([2, 2]);
    await sending;
    await second.consumer.close();
    await expect.poll(() => effects.size, { timeout: 20_000 }).toBe(total);
    await expect
      .poll(async () => (await client.groupLag('rebalanced', [topic])).every(({ lag }) => lag === 0n), {
        timeout: 10_000,
      })
      .toBe(true);
    await first.consumer.close();
    // Batches in hand end before the group goes on, so here nothing was done twice either.
    expect(Math.max(...effects.values())).toBe(1);
  });

  test('a member that was away longer than its session commits nothing for partitions that have another owner', async () => {
    const topic = await newTopic({ partitions: 1 });
    const producer = client.createProducer();
    await producer.send([{ topic, key: 'k', value: 'a' }]);
    const holding = Promise.withResolvers<Batch>();
    const hold = Promise.withResolvers<void>();
    const late = newClient().createConsumer({
      groupId: 'expelled',
      sessionTimeoutMs: 6_000,
      rebalanceTimeoutMs: 1_000,
    });
    const seen: string[] = [];
    const assignments = vi.fn();
    await late.run({
      topics: [topic],
      onAssignment: assignments,
      onBatch: async (batch) => {
        holding.resolve(batch);
        if (assignments.mock.calls.length === 1) await hold.promise;
        else seen.push(...batch.messages.map(textOf));
      },
    });
    const batch = await holding.promise;
    const next = newClient().createConsumer({
      groupId: 'expelled',
      sessionTimeoutMs: 2_000,
      rebalanceTimeoutMs: 1_000,
    });
    onTestFinished(async () => {
      hold.resolve();
      await Promise.all([late.close(), next.close()]);
    });
    // The rebalance waits one second for the batch, then goes on without its member.
    await next.run({ topics: [topic], onBatch: async ({ messages }) => void seen.push(...messages.map(textOf)) });
    await producer.send([{ topic, key: 'k', value: 'b' }]);
    await expect.poll(() => seen, { timeout: 15_000 }).toEqual(['a', 'b']);
    await expect.poll(() => batch.signal.aborted, { timeout: 10_000 }).toBe(true);
    await expect.poll(async () => (await client.groupLag('expelled', [topic]))[0]!.committed).toBe(2n);
    hold.resolve();
    // A member joins again after its batch, so that a commit of this batch lies behind it.
    await expect.poll(() => assignments.mock.calls.length, { timeout: 20_000 }).toBeGreaterThan(1);
    expect((await client.groupLag('expelled', [topic]))[0]!.committed).toBe(2n);
    // The next owner goes on from what is committed: after a stale commit "b" would come again before "c".
    await next.close();
    await producer.send([{ topic, key: 'k', value: 'c' }]);
    await expect.poll(() => seen, { timeout: 15_000 }).toEqual(['a', 'b', 'c']);
  });

  test('away: send fails within its budget, a full queue at once; back: the same producer goes on', async () => {
    const topic = await newTopic({ partitions: 1 });
    const producer = client.createProducer({ timeoutMs: 1_500, maxQueuedMessages: 10 });
    await producer.send([{ topic, key: 'k', value: 'before' }]);
    await killBroker();
    const begun = performance.now();
    const waiting = Array.from({ length: 10 }, (_, index) =>
      producer.send([{ topic, key: 'k', value: `lost ${index}` }]),
    );
    await expect(producer.send([{ topic, key: 'k', value: 'one more' }])).rejects.toMatchObject({ code: 'queue_full' });
    for (const { reason } of (await Promise.allSettled(waiting)) as PromiseRejectedResult[]) {
      expect(reason).toBeInstanceOf(KafkaError);
      expect(reason.code).toBe('broker_unavailable');
    }
    expect(performance.now() - begun).toBeLessThan(1_900);
    // A new producer does not know the topic yet and keeps to its budget all the same.
    const stranger = client.createProducer({ timeoutMs: 500 });
    await expect(stranger.send([{ topic, key: 'k', value: 'x' }])).rejects.toMatchObject({
      code: 'broker_unavailable',
    });
    await expect(client.ping(500)).rejects.toMatchObject({ code: 'broker_unavailable' });
    await broker.restart();
    await producer.send([{ topic, key: 'k', value: 'after' }]);
    const values = (await readAll(topic)).flat().map(textOf);
    expect(values).toEqual(expect.arrayContaining(['before', 'after']));
  });

  test('kill -9 of the broker under load: nothing acknowledged is lost or skipped, and the consumer comes back', async () => {
    const topic = await newTopic({ partitions: 2 });
    const producer = client.createProducer({ timeoutMs: 50_000 });
    const acknowledged = new Set<string>();
    const seen = new Map<string, number>();
    // The session is far longer than this test: a group that waited for its end would fail it.
    const consumer = newClient().createConsumer({ groupId: 'survivor', sessionTimeoutMs: 120_000 });
    await consumer.run({
      topics: [topic],
      onBatch: async ({ messages }) => {
        for (const message of messages) seen.set(textOf(message), (seen.get(textOf(message)) ?? 0) + 1);
      },
    });
    let sending = true;
    const clients = Array.from({ length: 8 }, async (_, client) => {
      for (let number = 0; sending; number += 1) {
        const value = `${client}-${number}`;
        await producer.send([{ topic, key: `k${client}`, value }]);
        acknowledged.add(value);
      }
    });
    await expect.poll(() => acknowledged.size, { timeout: 20_000 }).toBeGreaterThan(500);
    broker.kill('SIGKILL');
    await broker.restart();
    const before = acknowledged.size;
    await expect.poll(() => acknowledged.size, { timeout: 20_000 }).toBeGreaterThan(before + 500);
    sending = false;
    await Promise.all(clients);
    const stored = (await readAll(topic)).flat().map(textOf);
    const distinct = new Set(stored);
    expect([...acknowledged].filter((value) => !distinct.has(value))).toEqual([]);
    // The repetitions inside the client are idempotent: no message is there twice.
    expect(distinct.size).toBe(stored.length);
    await expect.poll(() => [...acknowledged].filter((value) => !seen.has(value)).length, { timeout: 20_000 }).toBe(0);
    await consumer.close();
    expect((await client.groupLag('survivor', [topic])).every(({ lag }) => lag === 0n)).toBe(true);
  });

  test('a broker that stands still (SIGSTOP) is waited for within the budget, and nothing is written twice', async () => {
    const topic = await newTopic({ partitions: 1 });
    const producer = client.createProducer({ timeoutMs: 8_000 });
    await producer.send([{ topic, key: 'k', value: '0' }]);
    broker.kill('SIGSTOP');
    const sends = Array.from({ length: 5 }, (_, index) =>
      producer.send([{ topic, key: 'k', value: String(index + 1) }]),
    );
    await delay(5_000); // Longer than a request of this producer waits before it is repeated.
    broker.kill('SIGCONT');
    await Promise.all(sends);
    expect((await readAll(topic)).flat().map(textOf)).toEqual(['0', '1', '2', '3', '4', '5']);
  });

  test('closing does not wait for a broker that stands still', async () => {
    const topic = await newTopic({ partitions: 1 });
    const member = newClient().createConsumer({ groupId: 'hung' });
    await member.run({ topics: [topic], onBatch: async () => {} });
    broker.kill('SIGSTOP');
    onTestFinished(() => broker.kill('SIGCONT'));
    const stranger = newClient().createConsumer({ groupId: 'hung' });
    const joining = stranger.run({ topics: [topic], onBatch: async () => {} });
    const refused = expect(joining).rejects.toMatchObject({ code: 'closed' });
    const begun = performance.now();
    await stranger.close();
    expect(performance.now() - begun).toBeLessThan(1_000);
    await refused;
    // A member tries to say goodbye.
    await member.close();
    expect(performance.now() - begun).toBeLessThan(13_000);
  });

  test('no timer was asked for a negative time', () => {
    expect(warnings).not.toContain('TimeoutNegativeWarning');
  });
});
