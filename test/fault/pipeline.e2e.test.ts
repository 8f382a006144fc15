import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { failureHeaders } from '../../kernel/contract/failure-headers.ts';
import { serializeReceived } from '../../kernel/contract/received.ts';
import { retryTopics, sourceTopics, webhookMessageMaxBytes } from '../../kernel/contract/topics.ts';
import type { ReceivedWebhook } from '../../kernel/contract/webhooks.ts';
import type { KafkaClient } from '../../kernel/kafka/port.ts';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { readDeadLetters, replayDeadLetters } from '../../operations/dead-letters/dead-letters.ts';
import { createLabKafka } from '../../operations/status/drain.ts';
import { readPipeline } from '../../operations/status/pipeline-status.ts';
import { missingForKafka } from '../../runtime/native/kafka/missing.ts';
import { missingChdb } from '../../runtime/native/missing-chdb.ts';
import { type RunningSystem, startSystem } from '../../runtime/native/system.ts';
import { createSigners } from '../../simulator/delivery/sign.ts';
import { createWorkload } from '../../simulator/workload/workload.ts';
import { describeIf } from '../skip.ts';
import { testEngineFaults } from './engine-faults.ts';
import { createTraffic, frozen, readAll, send, sendCompressed, type Traffic } from './pipeline.ts';

/**
 * One system from the gateway to ClickHouse, on which one part after the other fails while webhooks come in. What the
 * engines, the sink and the Kafka port do in their own faults is tested beside them; this is about the whole.
 */
describeIf('faults of the whole pipeline', (await missingForKafka()) ?? missingChdb(), () => {
  let system: RunningSystem;
  let traffic: Traffic;
  let kafka: KafkaClient;
  const cdcEnvironment: Record<string, string> = {};
  beforeAll(async () => {
    system = await startSystem({ topology: 'partitioned', mode: 'kafka', cdc: 'native', cdcEnvironment });
    traffic = createTraffic(system, 700);
    kafka = createLabKafka(system.kafka!.brokers);
  }, 300_000);
  afterAll(async () => {
    await kafka?.close();
    await system?.stop();
  });

  const count = async (sql: string, values: unknown[] = []): Promise<number> =>
    withClient(system.dsn.admin, async (client) => Number((await client.query(sql, values)).rows[0].n));
  const effects = () =>
    count('select (select count(*) from order_events) + (select count(*) from dispute_events) as n');

  test('poison, a wrong version, an unknown type and an oversized message end in the dead letters and hold no other up', async () => {
    const good = webhookOf('after-poison');
    const text = serializeReceived(good);
    const bad: Record<string, string> = {
      malformed_json: '{"version":1,"type":',
      wrong_version: text.replace('"version":2', '"version":99'),
      unknown_type: text.replace('"webhook.order"', '"webhook.refund"'),
      invalid: text.replace('"created"', '"vanished"'),
      oversized: serializeReceived({ ...good, body: 'x'.repeat(webhookMessageMaxBytes) }),
    };
    // One key, so that all of them stand in one partition before the good one.
    const key = 'one-user';
    await traffic.deliver(400, async () => {
      const values = [...Object.values(bad), text];
      await sendCompressed(system, { topic: 'webhooks.orders', key, value: 'x'.repeat(6 * 1024 * 1024) });
      await send(
        kafka,
        values.map((value) => ({ topic: 'webhooks.orders', key, value })),
      );
    });
    await traffic.expectAllArrived();
    expect(await count("select count(*) as n from orders where order_id = 'order-after-poison'")).toBe(1);
    const letters = await readDeadLetters(kafka);
    expect(letters.map(({ reason }) => reason).sort()).toEqual([...Object.keys(bad), 'oversized'].sort());
    expect(letters.every(({ attempts, source }) => attempts === 0 && source.topic === 'webhooks.orders')).toBe(true);
  });

  test('a webhook that the database refuses is tried again, and applied once the cause is gone', async () => {
    await withClient(system.dsn.admin, (client) =>
      client.query(`
        create function refuse() returns trigger language plpgsql as
          $$ begin if new.order_id = 'order-refused' then raise 'not now'; end if; return new; end $$;
        create trigger refuse before insert on orders for each row execute function refuse()`),
    );
    await traffic.deliver(200, () =>
      send(kafka, [{ topic: 'webhooks.orders', key: 'u', value: serializeReceived(webhookOf('refused')) }]),
    );
    await expect.poll(() => endOf(kafka, retryTopics), { timeout: 20_000 }).toBeGreaterThan(0);
    await withClient(system.dsn.admin, (client) => client.query('drop function refuse cascade'));
    await traffic.expectAllArrived();
    expect(await count("select count(*) as n from orders where order_id = 'order-refused'")).toBe(1);
  });

  test('a replayed dead letter is applied, and its note keeps it from being replayed by the next sweep', async () => {
    const failure = { source: { topic: 'webhooks.orders', partition: 0, offset: '1' }, attempts: 5, retryAtMs: null };
    const headers = failureHeaders(
      { 'correlation-id': 'c' },
      { ...failure, reason: 'attempts_exhausted', detail: 'The database refused it.', failedAtMs: Date.now() },
    );
    await send(kafka, [
      { topic: 'webhooks.orders.dlq', key: 'u', value: serializeReceived(webhookOf('replayed')), headers },
    ]);
    const exhausted = async () =>
      (await readDeadLetters(kafka)).filter(({ reason }) => reason === 'attempts_exhausted');
    await replayDeadLetters(kafka, await exhausted(), Date.now());
    await traffic.expectAllArrived();
    expect(await count("select count(*) as n from orders where order_id = 'order-replayed'")).toBe(1);
    expect((await exhausted()).map(({ replayedAtMs }) => replayedAtMs !== null)).toEqual([true]);
    const waiting = (await readDeadLetters(kafka)).filter(({ replayedAtMs }) => replayedAtMs === null);
    expect(await readPipeline(system)).toMatchObject({ deadLetters: waiting.length });
  });

  test('the broker killed with kill -9: 503 with Retry-After meanwhile, nothing acknowledged is lost', async () => {
    const totals = await traffic.deliver(1_500, async () => {
      system.broker!.kill('SIGKILL');
      const refused = await deliverOnce(system);
      expect(refused).toEqual({ status: 503, retryAfter: '1', withinBudget: true });
      await system.broker!.restart();
    });
    expect(Object.keys(totals.retries)).toContain('503');
    await traffic.expectAllArrived();
  });

  test('the broker stopped (SIGSTOP) and going on: nothing is lost or doubled', async () => {
    await traffic.deliver(1_000, () => frozen(system.broker!, 4_000));
    await traffic.expectAllArrived();
  });

  test('the API killed with kill -9 in the middle of its batches: each webhook has one effect', async () => {
    await traffic.deliver(1_000, async () => {
      system.api.kill('SIGKILL');
      await system.api.restart();
    });
    await traffic.expectAllArrived();
  });

  test('the gateway killed with kill -9: the provider repeats, nothing is lost', async () => {
    await traffic.deliver(800, async () => {
      system.ingest!.kill('SIGKILL');
      await system.ingest!.restart();
    });
    await traffic.expectAllArrived();
  });

  test('the database away: the gateway goes on, the consumers wait and burn no attempt', async () => {
    const letters = (await readDeadLetters(kafka)).length;
    const retried = await endOf(kafka, retryTopics);
    await traffic.deliver(800, async () => {
      system.primary.kill('SIGQUIT');
      // The length of the fault itself, and no wait for something to happen.
      await delay(3_000);
      await system.primary.restart();
    });
    await traffic.expectAllArrived();
    expect(await endOf(kafka, retryTopics), 'no message went to a retry topic').toBe(retried);
    expect((await readDeadLetters(kafka)).length).toBe(letters);
  });

  test('a whole topic replayed: no webhook has a second effect', async () => {
    const before = await effects();
    for (const topic of sourceTopics) {
      const messages = await readAll(kafka, topic);
      expect(messages.length).toBeGreaterThan(0);
      const small = messages.filter(({ value }) => (value?.length ?? 0) < webhookMessageMaxBytes);
      await send(
        kafka,
        small.map(({ key, value, headers }) => ({ topic, key, value, headers })),
      );
    }
    await traffic.expectAllArrived();
    expect(await effects()).toBe(before);
  });

  testEngineFaults(() => ({ system, traffic, cdcEnvironment }), {
    slotName: 'lab_cdc',
    stopReading: async () => system.cdcProcess!.kill('SIGKILL'),
  });
});

function webhookOf(name: string): ReceivedWebhook {
  return {
    provider: 'silvergate',
    event: {
      target: 'order',
      providerEventId: `event-${name}`,
      fingerprint: null,
      orderId: `order-${name}`,
      userId: 'one-user',
      status: 'created',
      attemptReference: null,
      payment: null,
      introduces: true,
      amountMinor: 100n,
      currency: 'EUR',
      meta: {},
      providerUpdatedAt: new Date(),
    },
    bodySha256: 'c'.repeat(64),
    body: '{}',
    receivedAt: new Date(),
    requestId: randomUUID(),
    isReleased: false,
  };
}

/** One webhook while the broker is away: what the gateway answers, and whether it does so within its budget of 3 s. */
async function deliverOnce(system: RunningSystem) {
  const webhook = createWorkload({ seed: 9, run: 'once', startTimeMs: Date.now() }).next();
  const signed = createSigners(system.secrets)[webhook.provider]!(webhook, new Date());
  const headers = new Headers();
  for (let at = 0; at < signed.headers.length; at += 2) headers.set(signed.headers[at]!, signed.headers[at + 1]!);
  const started = performance.now();
  const response = await fetch(system.urls.ingest + signed.path, { method: 'POST', headers, body: signed.body });
  await response.body?.cancel();
  const { status } = response;
  return {
    status,
    retryAfter: response.headers.get('retry-after'),
    withinBudget: performance.now() - started < 6_000,
  };
}

async function endOf(kafka: KafkaClient, topics: readonly string[]): Promise<number> {
  const offsets = await Promise.all(topics.map((topic) => kafka.topicOffsets(topic)));
  return offsets.flat().reduce((sum, { end }) => sum + Number(end), 0);
}
