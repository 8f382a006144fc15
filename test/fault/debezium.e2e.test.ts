import { afterAll, beforeAll, expect, test } from 'vitest';
import { stopConnector } from '../../cdc/debezium/connect-api.ts';
import { defaultNames } from '../../cdc/debezium/connector.ts';
import type { KafkaClient } from '../../kernel/kafka/port.ts';
import { readDeadLetters } from '../../operations/dead-letters/dead-letters.ts';
import { createLabKafka } from '../../operations/status/drain.ts';
import { missingForKafka } from '../../runtime/native/kafka/missing.ts';
import { missingChdb } from '../../runtime/native/missing-chdb.ts';
import { type RunningSystem, startSystem } from '../../runtime/native/system.ts';
import { describeIf } from '../skip.ts';
import { testEngineFaults } from './engine-faults.ts';
import { createTraffic, frozen, readAll, send, sendCompressed, type Traffic } from './pipeline.ts';

/** The way over Connect and the domain topics; what lies before the outbox is the same as in `pipeline.e2e.test.ts`. */
describeIf('faults of the pipeline through Debezium', (await missingForKafka()) ?? missingChdb(), () => {
  let system: RunningSystem;
  let traffic: Traffic;
  let kafka: KafkaClient;
  const cdcEnvironment: Record<string, string> = {};
  beforeAll(async () => {
    system = await startSystem({ topology: 'partitioned', mode: 'kafka', cdc: 'debezium', cdcEnvironment });
    traffic = createTraffic(system, 900);
    kafka = createLabKafka(system.kafka!.brokers);
  }, 300_000);
  afterAll(async () => {
    await kafka?.close();
    await system?.stop();
  });

  test('Connect stopped and going on, then killed with kill -9', { timeout: 240_000 }, async () => {
    await traffic.deliver(1_000, async () => {
      await frozen(system.connect!, 2_000);
      system.connect!.kill('SIGKILL');
      await system.connect!.restart();
    });
    await traffic.expectAllArrived();
  });

  test('the broker under gateway, consumers, Connect and sink killed with kill -9', { timeout: 240_000 }, async () => {
    await traffic.deliver(1_000, async () => {
      system.broker!.kill('SIGKILL');
      await system.broker!.restart();
    });
    await traffic.expectAllArrived();
  });

  test('the broker stopped (SIGSTOP) and going on', { timeout: 240_000 }, async () => {
    await traffic.deliver(1_000, () => frozen(system.broker!, 4_000));
    await traffic.expectAllArrived();
  });

  test('events that can not be read end in the dead letters and hold no other up', { timeout: 240_000 }, async () => {
    const topic = 'domain.orders';
    await traffic.deliver(100);
    await traffic.expectAllArrived();
    const [example] = await readAll(kafka, topic);
    const { key, headers } = example!;
    const event = JSON.parse(example!.value!.toString('utf8')) as object;
    const envelope = (change: object) => JSON.stringify({ ...event, version: 1, payload: {}, ...change });
    // As Debezium writes them, with its headers, and as envelopes; all in one partition, before what comes next.
    const bad: [reason: string, value: string, headers: Record<string, string>][] = [
      ['malformed_json', '{"event_id":', headers],
      ['unknown_type', JSON.stringify({ ...event, event_type: 'order.exploded', type: 'order.exploded' }), headers],
      ['invalid', JSON.stringify({ ...event, payload: 'no object' }), headers],
      ['wrong_version', envelope({ version: 2 }), {}],
      ['unknown_type', envelope({ type: 'order.exploded' }), {}],
      ['invalid', envelope({ sequence: -1 }), {}],
    ];
    await traffic.deliver(400, async () => {
      await sendCompressed(system, { topic, key, value: 'x'.repeat(6 * 1024 * 1024) });
      const messages = bad.map(([, value, own]) => ({ topic, key, value, headers: own }));
      await send(kafka, messages);
    });
    await traffic.expectAllArrived();
    const letters = (await readDeadLetters(kafka)).filter(({ source }) => source.topic === topic);
    const reasons = ['malformed_json', ...bad.map(([reason]) => reason)];
    expect(letters.map(({ reason }) => reason).toSorted()).toEqual(reasons.toSorted());
  });

  test('the domain topics replayed as a whole: no event counts twice', { timeout: 240_000 }, async () => {
    for (const topic of ['domain.orders', 'domain.disputes']) {
      const messages = await readAll(kafka, topic);
      expect(messages.length).toBeGreaterThan(0);
      // The one that came compressed would not come back in.
      const small = messages.filter(({ value }) => (value?.length ?? 0) < 1024 * 1024);
      await send(
        kafka,
        small.map(({ key, value, headers }) => ({ topic, key, value, headers })),
      );
    }
    await traffic.deliver(200);
    await traffic.expectAllArrived();
  });

  testEngineFaults(() => ({ system, traffic, cdcEnvironment }), {
    slotName: defaultNames.slotName,
    stopReading: async () => {
      system.cdcProcess!.kill('SIGKILL');
      await stopConnector({ url: system.urls.connect!, name: defaultNames.name });
    },
  });
});
