import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { type EventEnvelope, serializeEnvelope } from '../../kernel/contract/envelope.ts';
import type {
  Batch,
  Consumer,
  ConsumerRun,
  KafkaClient,
  KafkaMessage,
  OutgoingMessage,
} from '../../kernel/kafka/port.ts';
import { SinkError, type SinkEvent } from '../sink.ts';
import { createKafkaEngine } from './kafka-engine.ts';

const envelope = (sequence: bigint): EventEnvelope => ({
  event_id: `019a2b3c-4d5e-7f60-8123-${sequence.toString().padStart(12, '0')}`,
  type: 'order.hold_set',
  version: 1,
  aggregate_type: 'order',
  aggregate_id: 'o-1',
  user_id: 'u-1',
  sequence,
  occurred_at: '2026-01-31T12:00:00Z',
  payload: { amount_minor: 5 },
});

const message = (offset: number, value: string | null): KafkaMessage => ({
  offset: BigInt(offset),
  key: 'u-1',
  headers: { committed_at_ms: '1000' },
  timestampMs: 2_000,
  value: value === null ? null : Buffer.from(value),
});

const batchOf = (messages: KafkaMessage[]): Batch => ({
  topic: 'domain.orders',
  partition: 1,
  messages,
  signal: new AbortController().signal,
  highWatermark: messages.at(-1)!.offset + 1n,
});

let stop: (() => Promise<void>) | undefined;
afterEach(() => stop?.());

/** The engine over a client that hands it what the test wants. */
async function start(write: (batch: readonly SinkEvent[]) => Promise<void>) {
  const sent: OutgoingMessage[] = [];
  /** Bytes of each call. */
  const calls: number[] = [];
  const refused: string[] = [];
  let run: ConsumerRun | undefined;
  const consumer: Consumer = {
    run: async (given) => {
      run = given;
    },
    assigned: [],
    close: async () => {},
  };
  const kafka = {
    ensureTopics: async () => {},
    createProducer: () => ({
      send: async (messages: readonly OutgoingMessage[]) => {
        sent.push(...messages);
        calls.push(messages.reduce((sum, { value }) => sum + (value?.length ?? 0), 0));
      },
      queuedMessages: 0,
      close: async () => {},
    }),
    createConsumer: () => consumer,
    groupLag: async () => [],
  } as unknown as KafkaClient;
  const engine = createKafkaEngine({
    kafka,
    groupId: 'test',
    sink: { write, close: async () => {} },
    limits: { maxEvents: 100, maxBytes: 1_000_000, maxWaitMs: 5 },
    logger: pino({ level: 'silent' }),
    nowMs: () => 3_000,
    watchEveryMs: 10_000,
    onSunk: () => {},
    onRefused: (reason) => refused.push(reason),
    onRestart: () => {},
  });
  const stopping = new AbortController();
  const running = engine.run(stopping.signal);
  stop = async () => {
    stopping.abort();
    await running.catch(() => {});
  };
  await expect.poll(() => run, { interval: 1 }).toBeDefined();
  return {
    engine,
    running,
    sent,
    calls,
    refused,
    deliver: (messages: KafkaMessage[]) => run!.onBatch(batchOf(messages)),
  };
}

test('a batch is done once the sink has it, and not before', async () => {
  const written: SinkEvent[] = [];
  let finish: () => void = () => {};
  const { deliver } = await start(async (batch) => {
    written.push(...batch);
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
  });
  let done = false;
  const delivered = deliver([message(0, serializeEnvelope(envelope(1n)))]).then(() => {
    done = true;
  });
  await expect.poll(() => written.length, { interval: 1 }).toBe(1);
  expect(done).toBe(false);
  expect(written[0]).toMatchObject({
    envelope: { sequence: 1n, payload: '{"amount_minor":5}' },
    times: { committedAtMs: 1_000, publishedAtMs: 2_000 },
  });
  finish();
  await delivered;
});

test('what cannot be read goes to the dead letters with its reason, and the rest to the sink', async () => {
  const written: SinkEvent[] = [];
  const { deliver, sent, refused } = await start(async (batch) => void written.push(...batch));
  const other = (fields: object) => JSON.stringify({ ...JSON.parse(serializeEnvelope(envelope(9n))), ...fields });
  await deliver([
    message(0, serializeEnvelope(envelope(1n))),
    message(1, 'not json'),
    message(2, other({ version: 2 })),
    message(3, other({ type: 'order.exploded' })),
    message(4, other({ sequence: -1 })),
    message(5, `"${'x'.repeat(9 * 1024 * 1024)}"`),
    message(6, null),
    message(7, serializeEnvelope(envelope(2n))),
  ]);
  expect(written.map((event) => event.envelope.sequence)).toEqual([1n, 2n]);
  expect(sent.map(({ topic, headers }) => [topic, headers?.['source-offset'], headers?.reason])).toEqual([
    ['domain.orders.dlq', '1', 'malformed_json'],
    ['domain.orders.dlq', '2', 'wrong_version'],
    ['domain.orders.dlq', '3', 'unknown_type'],
    ['domain.orders.dlq', '4', 'invalid'],
    ['domain.orders.dlq', '5', 'invalid'],
  ]);
  expect(sent[0]).toMatchObject({ key: 'u-1', value: Buffer.from('not json') });
  expect(refused.length).toBe(5);
});

test('more dead letters than a producer takes at once leave in several calls', async () => {
  const { deliver, sent, calls } = await start(async () => {});
  const large = `"${'x'.repeat(5 * 1024 * 1024)}"`;
  await deliver(Array.from({ length: 20 }, (_unused, offset) => message(offset, large)));
  expect(sent.map(({ headers }) => Number(headers!['source-offset']))).toEqual(Array.from({ length: 20 }, (_, i) => i));
  expect(Math.max(...calls)).toBeLessThan(64 * 1024 * 1024);
});

test('an event that the sink refuses becomes a dead letter too', async () => {
  const { deliver, sent } = await start(async (batch) => {
    if (batch.some((event) => event.envelope.sequence === 2n)) throw new SinkError('too large');
  });
  await deliver([1n, 2n, 3n].map((sequence, index) => message(index, serializeEnvelope(envelope(sequence)))));
  expect(sent).toMatchObject([
    { headers: { 'source-offset': '1', reason: 'sink_refused', 'reason-detail': 'too large' } },
  ]);
});

test('a sink that fails fails the batch, so that it comes again; the next attempt works', async () => {
  let failing = true;
  const written: SinkEvent[] = [];
  const { deliver, engine } = await start(async (batch) => {
    if (failing) throw new Error('no such table');
    written.push(...batch);
  });
  const messages = [message(0, serializeEnvelope(envelope(1n)))];
  await expect(deliver(messages)).rejects.toThrow('no such table');
  failing = false;
  await deliver(messages);
  expect(written.length).toBe(1);
  expect(engine.status().state).toBe('streaming');
});

test('a batch of dead letters only does not wait for the sink', async () => {
  const { deliver, sent } = await start(() => new Promise(() => {}));
  await deliver([message(0, '{')]);
  expect(sent.length).toBe(1);
});
