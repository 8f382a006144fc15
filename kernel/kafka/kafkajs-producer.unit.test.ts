import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createKafkajsProducer } from './kafkajs-producer.ts';
import type { Session } from './kafkajs-session.ts';

const topic = 'webhooks.orders';

/** A producer over a broker that stores every request at once. */
function bench() {
  const requests: unknown[][] = [];
  const client = {
    connect: async () => {},
    disconnect: async () => {},
    sendBatch: async ({ topicMessages }: { topicMessages: { messages: unknown[] }[] }) => {
      requests.push(topicMessages.flatMap(({ messages }) => messages));
    },
  };
  const producer = createKafkajsProducer(
    {
      open: () => ({ kafka: { producer: () => client }, cut: () => {} }) as unknown as Session,
      messageLimits: async () => new Map([[topic, 1_000]]),
      logger: pino({ level: 'silent' }),
    },
    { timeoutMs: 500 },
  );
  return { producer, requests };
}

test.each([0, 1, 2, 3, 4, 5])('what is sent %i turns after the last answer is not forgotten', async (turns) => {
  const { producer, requests } = bench();
  const message = { topic, key: 'k', value: 'x' };
  await producer.send([message]);
  for (let round = 0; round < 3; round += 1) {
    await producer.send([message]);
    for (let turn = 0; turn < turns; turn += 1) await null;
  }
  expect(requests).toHaveLength(4);
});
