import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { failureHeaders, readFailure, withoutFailure } from '../../kernel/contract/failure-headers.ts';
import { serializeReceived } from '../../kernel/contract/received.ts';
import type { ReceivedWebhook } from '../../kernel/contract/webhooks.ts';
import { tooManyWaiting } from '../../kernel/group-commit.ts';
import type { KafkaMessage, OutgoingMessage } from '../../kernel/kafka/port.ts';
import { createMetrics } from '../../kernel/metrics.ts';
import type { ApplyResult } from '../webhooks/apply.ts';
import { maxAttempts, retryPauseMs } from './backoff.ts';
import { type ProcessDependencies, processMessages } from './process.ts';
import { processRetries } from './retry.ts';
import { createStoreGate } from './store-gate.ts';

const where = { topic: 'webhooks.orders', partition: 2 };
const silent = pino({ level: 'silent' });
const applied: ApplyResult = {
  outcome: { verdict: 'applied', reason: null, orderId: 'o', disputeId: null, sequence: 1n },
  commitLsn: 1n as never,
};
const storeAway = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });

function webhook(id: string): ReceivedWebhook {
  return {
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
}

function message(value: string | Buffer | null, offset = 7n, headers: Record<string, string> = {}): KafkaMessage {
  return { offset, key: 'u1', value: value === null ? null : Buffer.from(value), headers, timestampMs: 3_000 };
}

/** Dependencies whose effects the test can look at. */
function bench(apply: (ids: string[]) => (ApplyResult | undefined)[]) {
  const sent: OutgoingMessage[] = [];
  const batches: string[][] = [];
  const metrics = createMetrics({ service: 'api', topology: 'plain' });
  const dependencies: ProcessDependencies = {
    apply: async (batch) => {
      const ids = batch.map((item) => item.event.providerEventId);
      batches.push(ids);
      const results = apply(ids);
      return ids.map((_id, index) => results[index] ?? applied);
    },
    producer: { send: async (messages) => void sent.push(...messages) },
    store: createStoreGate({ probe: async () => {}, pauseMs: 1, logger: silent, onPause: () => {} }),
    metrics,
    logger: silent,
    maxBatch: 3,
    maxMessageBytes: 2_000,
    now: () => new Date(10_000),
    random: () => 0.5,
  };
  return { dependencies, sent, batches, metrics };
}

const never = new AbortController().signal;

describe('messages of a webhook topic', () => {
  it('are applied in their order, in batches of the size that one transaction may have', async () => {
    const { dependencies, sent, batches } = bench(() => []);
    const messages = ['a', 'b', 'c', 'd'].map((id) => message(serializeReceived(webhook(id))));
    await processMessages(dependencies, where, messages, never);
    expect(batches).toEqual([['a', 'b', 'c'], ['d']]);
    expect(sent).toEqual([]);
  });

  it.each([
    ['malformed_json', '{"version": 1,'],
    ['malformed_json', null],
    ['wrong_version', serializeReceived(webhook('x')).replace('"version":2', '"version":99')],
    ['unknown_type', serializeReceived(webhook('x')).replace('webhook.order', 'webhook.refund')],
    ['invalid', serializeReceived(webhook('x')).replace('"created"', '"lost"')],
    ['oversized', serializeReceived({ ...webhook('x'), body: 'x'.repeat(2_000) })],
  ])('become dead letters at once when they are %s, and hold up no other message', async (reason, value) => {
    const { dependencies, sent, batches, metrics } = bench(() => []);
    const messages = [message(value, 41n, { 'correlation-id': 'c1' }), message(serializeReceived(webhook('good')))];
    await processMessages(dependencies, where, messages, never);
    expect(batches).toEqual([['good']]);
    expect(sent).toMatchObject([
      {
        topic: 'webhooks.orders.dlq',
        key: 'u1',
        value: messages[0]!.value,
        headers: {
          reason,
          'source-topic': 'webhooks.orders',
          'source-partition': '2',
          'source-offset': '41',
          'correlation-id': 'c1',
          attempts: '0',
        },
      },
    ]);
    expect(sent[0]!.headers!['reason-detail']!.length).toBeLessThanOrEqual(500);
    const counted = await metrics.deadLetters.get();
    expect(counted.values).toMatchObject([{ value: 1, labels: { reason } }]);
  });

  it('that fail for themselves are tried later, and become dead letters after the last attempt', async () => {
    const broken: ApplyResult = { error: Object.assign(new Error('holds the value 4111'), { code: '23514' }) };
    const { dependencies, sent } = bench((ids) => ids.map((id) => (id === 'bad' ? broken : undefined)));
    const first = ['good', 'bad'].map((id) => message(serializeReceived(webhook(id)), 5n));
    await processMessages(dependencies, where, first, never);
    for (let attempt = 1; attempt < maxAttempts; attempt += 1) {
      const last = sent.at(-1)!;
      expect(last.topic).toBe('webhooks.orders.retry');
      expect(last.headers).toMatchObject({ attempts: String(attempt), 'source-partition': '2', 'source-offset': '5' });
      expect(Number(last.headers!['retry-at-ms'])).toBeGreaterThan(10_000);
      const again = message(last.value as Buffer, BigInt(attempt), last.headers);
      await processMessages(dependencies, { topic: 'webhooks.orders.retry', partition: 0 }, [again], never);
    }
    expect(sent).toHaveLength(maxAttempts);
    const dead = sent.at(-1)!;
    expect(dead.topic).toBe('webhooks.orders.dlq');
    expect(dead.headers).toMatchObject({ reason: 'attempts_exhausted', attempts: '5', 'source-topic': where.topic });
    expect(dead.headers).not.toHaveProperty('retry-at-ms');
    expect(JSON.stringify(dead.headers), 'the database’s words stay in the log').not.toContain('4111');
  });

  it('wait for a store that is away, and burn no attempt', async () => {
    let calls = 0;
    const { dependencies, sent, batches } = bench((ids) => {
      calls += 1;
      return calls < 4 ? ids.map((id) => (id === 'first' ? undefined : { error: storeAway })) : [];
    });
    const messages = ['first', 'second'].map((id) => message(serializeReceived(webhook(id))));
    await processMessages(dependencies, where, messages, never);
    expect(batches).toEqual([['first', 'second'], ['second'], ['second'], ['second']]);
    expect(sent).toEqual([]);
  });

  it('are given up without an effect on their attempts when the consumer stops while the store is away', async () => {
    const { dependencies, sent } = bench((ids) => ids.map(() => ({ error: storeAway })));
    const stop = new AbortController();
    const running = processMessages(dependencies, where, [message(serializeReceived(webhook('a')))], stop.signal);
    stop.abort(new Error('stopping'));
    await expect(running).rejects.toThrow('stopping');
    expect(sent).toEqual([]);
  });

  it('are tried again where the service itself had no room for them, without an effect on their attempts', async () => {
    let calls = 0;
    const { dependencies, sent } = bench((ids) => {
      calls += 1;
      return calls === 1 ? ids.map(() => ({ error: tooManyWaiting() })) : [];
    });
    await processMessages(dependencies, where, [message(serializeReceived(webhook('a')))], never);
    expect({ calls, sent }).toEqual({ calls: 2, sent: [] });
  });

  it('never make a request that is larger than a producer takes, however large they are', async () => {
    const { dependencies, sent } = bench(() => []);
    const sizes: number[] = [];
    dependencies.producer.send = async (messages) => {
      sent.push(...messages);
      sizes.push(messages.reduce((sum, { value }) => sum + value!.length, 0));
    };
    const large = Buffer.alloc(5 * 1024 * 1024);
    const messages = Array.from({ length: 40 }, (_, offset) => ({ ...message('x', BigInt(offset)), value: large }));
    await processMessages(dependencies, where, messages, never);
    expect(sent.map(({ headers }) => Number(headers!['source-offset']))).toEqual([...messages.keys()]);
    expect(Math.max(...sizes)).toBeLessThan(64 * 1024 * 1024);
  });

  it('keep their offsets when the broker does not take what has to move on', async () => {
    const { dependencies } = bench(() => []);
    dependencies.producer.send = () => Promise.reject(new Error('broker away'));
    await expect(processMessages(dependencies, where, [message('?')], never)).rejects.toThrow('broker away');
  });
});

describe('messages of a retry topic', () => {
  const due = (retryAtMs: number) => {
    const failure = { ...readFailure(where, message('x')), attempts: 1, retryAtMs };
    return message(serializeReceived(webhook('late')), 1n, failureHeaders({}, failure));
  };
  const batch = (one: KafkaMessage) => ({
    topic: 'webhooks.orders.retry',
    partition: 0,
    messages: [one],
    highWatermark: 2n,
    signal: never,
  });

  it('wait also where the clock of the instance that put them there is ahead', async () => {
    const { dependencies, batches } = bench(() => []);
    const early = processRetries(dependencies, batch(due(10_000 + 31_000)));
    await expect(early).rejects.toMatchObject({ delayMs: 31_000 });
    expect(batches).toEqual([]);
  });

  it('do not wait for a time that no pause can have meant, after the clock was set back', async () => {
    const { dependencies, batches } = bench(() => []);
    await processRetries(dependencies, batch(due(10_000 + 3_600_000)));
    expect(batches).toEqual([['late']]);
  });

  it.each<[string, Record<string, string>]>([
    ['none', {}],
    ['those of another topic', { 'source-topic': 'webhooks.gone', 'source-offset': '1', attempts: '1' }],
  ])('become dead letters of their source topic although their headers are %s', async (_name, headers) => {
    const { dependencies, sent } = bench(() => []);
    await processRetries(dependencies, batch(message('no JSON', 1n, headers)));
    expect(sent).toMatchObject([
      {
        topic: 'webhooks.orders.dlq',
        headers: { 'source-topic': 'webhooks.orders', 'source-offset': '1', attempts: '0' },
      },
    ]);
  });

  it('come again when they are due, and are applied then', async () => {
    const { dependencies, batches } = bench(() => []);
    const early = processRetries(dependencies, batch(due(12_500)));
    await expect(early).rejects.toMatchObject({ delayMs: 2_500 });
    expect(batches).toEqual([]);
    await processRetries(dependencies, batch(due(10_000)));
    expect(batches).toEqual([['late']]);
  });
});

describe('failure headers', () => {
  it('survive the way there and back, and leave for a replay', () => {
    const failure = {
      source: { topic: where.topic, partition: 3, offset: '9' },
      attempts: 2,
      retryAtMs: 5,
      reason: 'failed',
      detail: 'because',
      failedAtMs: 4,
    };
    const headers = failureHeaders({ 'correlation-id': 'c' }, failure);
    expect(readFailure(where, message('x', 1n, headers))).toEqual(failure);
    expect(withoutFailure(headers)).toEqual({ 'correlation-id': 'c' });
  });

  it.each([
    ['source-topic', 'elsewhere'],
    ['source-topic', 'webhooks.orders.retry'],
    ['source-partition', 'x'],
    ['source-offset', 'y'.repeat(5_000_000)],
    ['attempts', '-3'],
  ])('that a producer spoilt count as none: %s', (name, text) => {
    const failure = { source: { ...where, offset: '9' }, attempts: 2, retryAtMs: null, reason: '', detail: '' };
    const headers = { ...failureHeaders({}, { ...failure, failedAtMs: 4 }), [name]: text };
    const spoilt = readFailure({ topic: 'webhooks.orders.retry', partition: 0 }, message('x', 1n, headers));
    expect(spoilt).toMatchObject({ attempts: 0, source: { topic: where.topic, partition: 0, offset: '1' } });
  });
});

it('pauses grow from 1 s to 30 s over five attempts', () => {
  const pauses = [1, 2, 3, 4].map((attempt) => Math.round(retryPauseMs(attempt, () => 1)));
  expect(pauses).toEqual([1_000, 3_107, 9_655, 30_000]);
  expect(retryPauseMs(1, () => 0)).toBe(800);
});
