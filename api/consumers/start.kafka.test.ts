import { setTimeout as delay } from 'node:timers/promises';
import type { Pool } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serializeReceived } from '../../kernel/contract/received.ts';
import { deadLetterTopic, webhookTopicSpecs, webhookTopics } from '../../kernel/contract/topics.ts';
import type { ReceivedWebhook } from '../../kernel/contract/webhooks.ts';
import { createKafkaClient } from '../../kernel/kafka/kafkajs.ts';
import type { KafkaClient } from '../../kernel/kafka/port.ts';
import { createMetrics } from '../../kernel/metrics.ts';
import { createPool } from '../../kernel/postgres/pool.ts';
import { type Broker, startBroker } from '../../runtime/native/kafka/broker.ts';
import { missingForKafka } from '../../runtime/native/kafka/missing.ts';
import { startPostgres } from '../../runtime/native/postgres.ts';
import { throwawaySettings } from '../../runtime/native/postgres-settings.ts';
import { createRunDirectory, type RunDirectory } from '../../runtime/native/run-directory.ts';
import { migrate } from '../../sql/migrate.ts';
import { asRole } from '../../test/postgres/database.ts';
import { describeIf } from '../../test/skip.ts';
import { applyWebhooks } from '../webhooks/apply.ts';
import { oneServerWebhooks } from '../webhooks/store/one-server.ts';
import { startConsumers } from './start.ts';
import { createStoreGate } from './store-gate.ts';

const groupId = 'test-api';
const logger = pino({ level: 'silent' });
const topics = Object.values(webhookTopics);

describeIf('consumers that share transactions and commits', await missingForKafka(), () => {
  let run: RunDirectory;
  let broker: Broker;
  let kafka: KafkaClient;
  let pool: Pool;
  /** Told before each transaction; what it throws fails the transaction. */
  let before: (ids: readonly string[]) => Promise<void> = async () => {};

  beforeAll(async () => {
    run = await createRunDirectory();
    const [started, server] = await Promise.all([
      startBroker({ runDirectory: run.path }),
      startPostgres({ runDirectory: run.path, name: 'primary', settings: throwawaySettings }),
    ]);
    broker = started;
    await migrate({ dsn: server.dsn(), topology: 'partitioned' });
    pool = createPool({
      dsn: asRole(server.dsn(), 'lab_api'),
      applicationName: 'test',
      logger,
      max: 4,
      pipeline: true,
      sessionSettings: { role: 'lab_api' },
    });
    kafka = newClient();
    await kafka.ensureTopics(webhookTopicSpecs);
  });
  afterAll(async () => {
    await kafka?.close();
    await pool?.end();
    await run?.close();
  });

  const newClient = () => createKafkaClient({ brokers: [broker.bootstrapServers], clientId: 'lab-test', logger });

  /** One API process's consumers. */
  async function startMember() {
    const own = newClient();
    const consumers = startConsumers({
      kafka: own,
      producer: own.createProducer(),
      groupId,
      logger,
      maxBatch: 100,
      maxMessageBytes: 100_000,
      apply: async (batch) => {
        await before(batch.map(({ event }) => event.providerEventId));
        return applyWebhooks({ store: oneServerWebhooks({ pool, dedupe: 'key_table' }), now: () => new Date() }, batch);
      },
      store: createStoreGate({ probe: () => pool.query('select 1'), pauseMs: 50, logger, onPause: () => {} }),
      metrics: createMetrics({ service: 'api', topology: 'partitioned' }),
      observeEveryMs: 60_000,
      now: () => new Date(),
      random: Math.random,
    });
    await expect.poll(() => consumers.running, { timeout: 30_000 }).toBe(true);
    return {
      stop: async () => {
        await consumers.stop();
        await own.close();
      },
    };
  }

  async function send(names: readonly string[]): Promise<void> {
    const producer = kafka.createProducer();
    await producer.send(
      names.map((name, at) => ({
        topic: topics[at % 2]!,
        key: `user-${at % 16}`,
        value: serializeReceived(order(name)),
      })),
    );
    await producer.close();
  }

  const names = (prefix: string, count: number) => Array.from({ length: count }, (_, at) => `${prefix}-${at}`);

  async function committed(): Promise<bigint> {
    const partitions = await kafka.groupLag(groupId, topics);
    return partitions.reduce((sum, partition) => sum + (partition.committed ?? 0n), 0n);
  }

  /**
   * A group of its own reads the same messages and commits them at once. It begins only now, so that a commit which the
   * members under test made for messages in hand lies behind it.
   */
  async function readAndCommit(): Promise<void> {
    const reader = newClient();
    await reader.createConsumer({ groupId: 'reader' }).run({ topics, onBatch: async () => {} });
    const isBehind = async () => (await kafka.groupLag('reader', topics)).some(({ lag }) => lag > 0n);
    await expect.poll(isBehind, { timeout: 30_000 }).toBe(false);
    await reader.close();
  }

  /** Every message is committed, and each webhook of the prefix has exactly one effect. */
  async function expectEffects(prefix: string, count: number): Promise<void> {
    const lag = async () => (await kafka.groupLag(groupId, topics)).reduce((sum, { lag: own }) => sum + Number(own), 0);
    await expect.poll(lag, { timeout: 30_000 }).toBe(0);
    const { rows } = await pool.query<{ events: number; distinct: number }>(
      `select count(*)::int as events, count(distinct provider_event_id)::int as distinct
       from order_events where provider_event_id like $1`,
      [`${prefix}-%`],
    );
    expect(rows).toEqual([{ events: count, distinct: count }]);
  }

  test('no partition is committed before the transaction that its webhooks share', async () => {
    const member = await startMember();
    const hold = Promise.withResolvers<void>();
    const held: string[] = [];
    before = (ids) => {
      held.push(...ids);
      return hold.promise;
    };
    const start = await committed();
    await send(names('held', 40));
    await expect.poll(() => held.length, { timeout: 10_000 }).toBeGreaterThan(0);
    await readAndCommit();
    expect(await committed()).toBe(start);
    before = async () => {};
    hold.resolve();
    await expectEffects('held', 40);
    expect(await committed()).toBe(start + 40n);
    await member.stop();
  });

  test('a transaction that fails brings back every partition that had part in it, and none is skipped', async () => {
    const member = await startMember();
    let failures = 0;
    before = async () => {
      failures += 1;
      if (failures <= 3) throw new Error('a mistake of ours');
    };
    await send(names('failed', 200));
    await expectEffects('failed', 200);
    expect(failures).toBeGreaterThan(3);
    before = async () => {};
    await member.stop();
  });

  test('poison in one partition is put aside, and the webhooks of all partitions are applied', async () => {
    const member = await startMember();
    const producer = kafka.createProducer();
    const poison = topics.map((topic) => ({ topic, key: 'user-0', value: 'poison' }));
    await Promise.all([producer.send(poison), send(names('beside', 200))]);
    await expectEffects('beside', 200);
    for (const topic of topics) {
      const [letters] = await kafka.topicOffsets(deadLetterTopic(topic));
      expect(letters!.end).toBe(1n);
    }
    await producer.close();
    await member.stop();
  });

  test('members that come and go in the middle of shared transactions lose nothing and double nothing', async () => {
    // Slow enough that a rebalance always finds transactions under way.
    before = () => delay(20);
    const first = await startMember();
    let sent = 0;
    let moving = true;
    const sending = (async () => {
      for (; moving; sent += 50) {
        await send(Array.from({ length: 50 }, (_, index) => `moving-${sent + index}`));
        await delay(20);
      }
    })();
    for (let round = 0; round < 2; round += 1) {
      const other = await startMember();
      const shared = await committed();
      await expect.poll(committed, { timeout: 10_000 }).toBeGreaterThan(shared + 200n);
      await other.stop();
    }
    const heir = await startMember();
    await first.stop();
    moving = false;
    await sending;
    await expectEffects('moving', sent);
    await heir.stop();
    before = async () => {};
  });
});

function order(name: string): ReceivedWebhook {
  return {
    provider: 'silvergate',
    event: {
      target: 'order',
      providerEventId: name,
      fingerprint: null,
      orderId: `order-${name}`,
      userId: `user-${name}`,
      status: 'created',
      attemptReference: null,
      payment: null,
      introduces: true,
      amountMinor: 100n,
      currency: 'EUR',
      meta: {},
      providerUpdatedAt: new Date(),
    },
    bodySha256: 'a'.repeat(64),
    body: '{}',
    receivedAt: new Date(),
    requestId: name,
    isReleased: false,
  };
}
