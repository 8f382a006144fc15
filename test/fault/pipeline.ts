import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CompressionTypes, Kafka, logLevel } from 'kafkajs';
import { expect } from 'vitest';
import { auditRun } from '../../audit/audit.ts';
import type { KafkaClient, KafkaMessage, OutgoingMessage } from '../../kernel/kafka/port.ts';
import { waitUntil } from '../../kernel/wait.ts';
import { untilDrained } from '../../operations/status/drain.ts';
import type { RunningSystem } from '../../runtime/native/system.ts';
import type { DeliveryTotals } from '../../simulator/delivery/delivery.ts';
import { openDelivery } from '../webhooks/delivery.ts';

/** The simulated provider's side of a fault test, and the audit after it. */
export interface Traffic {
  /** Delivers to the gateway, repeating what was not answered; `meanwhile` runs while deliveries are under way. */
  deliver(count: number, meanwhile?: (totals: DeliveryTotals) => Promise<void>): Promise<DeliveryTotals>;
  /** Waits until everything has arrived; then every acknowledged webhook of all deliveries so far must have. */
  expectAllArrived(): Promise<void>;
}

export function createTraffic(system: RunningSystem, seed: number): Traffic {
  const recordFiles: string[] = [];
  return {
    deliver: async (count, meanwhile) => {
      const round = recordFiles.length + 1;
      const file = path.join(system.runDirectory, `acks-${round}.jsonl`);
      recordFiles.push(file);
      const { totals, run } = await openDelivery({
        url: system.urls.ingest!,
        secrets: system.secrets,
        recordFile: file,
        seed: seed + round,
        run: `pipe${seed}r${round}`,
        count,
        concurrency: 32,
        more: { readShare: 0, timeoutMs: 10_000, giveUpAfterMs: 90_000 },
      });
      const load = run();
      try {
        await waitUntil(() => totals.acknowledged >= count / 4, { timeoutMs: 60_000, intervalMs: 1 });
        if (meanwhile)
          expect(totals.acknowledged, 'the fault comes while deliveries are under way').toBeLessThan(count);
        await meanwhile?.(totals);
      } finally {
        await load;
      }
      expect({ gaveUp: totals.gaveUp, rejected: totals.rejected }).toEqual({ gaveUp: 0, rejected: {} });
      expect(totals.acknowledged).toBe(count);
      return totals;
    },
    expectAllArrived: async () => {
      const drained = await untilDrained(system, { timeoutMs: 120_000 });
      expect(drained).toMatchObject({ drained: true });
      const audit = await auditRun({
        dsn: system.dsn.admin,
        topology: system.topology,
        recordFiles,
        clickhouseUrl: system.urls.clickhouse,
      });
      expect(audit.invariants.filter(({ ok }) => !ok)).toEqual([]);
      const checked = Object.fromEntries(audit.invariants.map(({ id, checked: count }) => [id, count]));
      for (const id of ['I2', 'I3', 'I5', 'I6'] as const) expect(checked[id], id).toBeGreaterThan(0);
    },
  };
}

/** Stops a part with SIGSTOP and lets it go on. */
export async function frozen(part: { kill(signal: NodeJS.Signals): void }, forMs: number): Promise<void> {
  part.kill('SIGSTOP');
  try {
    // The length of the fault itself, and no wait for something to happen.
    await delay(forMs);
  } finally {
    part.kill('SIGCONT');
  }
}

export async function send(kafka: KafkaClient, messages: OutgoingMessage[]): Promise<void> {
  const producer = kafka.createProducer();
  await producer.send(messages);
  await producer.close();
}

/**
 * Sends as a producer of other people may: compressed, a message that is larger than the topic takes passes the
 * broker.
 */
export async function sendCompressed(
  { kafka }: RunningSystem,
  { topic, key, value }: { topic: string; key: string | null; value: string },
): Promise<void> {
  const producer = new Kafka({ brokers: kafka!.brokers, logLevel: logLevel.NOTHING }).producer();
  await producer.connect();
  await producer.send({ topic, compression: CompressionTypes.GZIP, messages: [{ key, value }] });
  await producer.disconnect();
}

/** What the topic holds at this moment. */
export async function readAll(kafka: KafkaClient, topic: string): Promise<KafkaMessage[]> {
  const ends = new Map((await kafka.topicOffsets(topic)).map(({ partition, end }) => [partition, end]));
  const found: KafkaMessage[] = [];
  const consumer = kafka.createConsumer({ groupId: `replay-${randomUUID()}` });
  await consumer.run({
    topics: [topic],
    onBatch: async ({ partition, messages }) => {
      found.push(...messages.filter(({ offset }) => offset < ends.get(partition)!));
    },
  });
  const total = [...ends.values()].reduce((sum, end) => sum + Number(end), 0);
  const complete = await waitUntil(() => found.length >= total, { timeoutMs: 30_000 });
  await consumer.close();
  expect(complete).toBe(true);
  return found;
}
