import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { createKafkajsConsumer } from './kafkajs-consumer.ts';
import type { Session } from './kafkajs-session.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

test('a broker that is away for days does not fill the memory with what each attempt met', async () => {
  const met: WeakRef<Error>[] = [];
  const consumer = createKafkajsConsumer(
    {
      open: () => expect.unreachable(),
      requireTopics: async () => {
        const error = new Error('connect ECONNREFUSED');
        met.push(new WeakRef(error));
        throw error;
      },
      logger: pino({ level: 'silent' }),
    },
    { groupId: 'g' },
  );
  const running = consumer.run({ topics: ['t'], onBatch: async () => {} });
  const refused = expect(running).rejects.toMatchObject({ code: 'closed' });
  await expect.poll(() => met.length).toBeGreaterThan(2);
  collectGarbage();
  const kept = met[0]!.deref();
  await consumer.close();
  await refused;
  expect(kept).toBeUndefined();
});

test('a killed member holds its partitions up for the shortest session that any broker allows', async () => {
  const member = vi.fn((_config: unknown) => {
    throw new Error('no broker');
  });
  const consumer = createKafkajsConsumer(
    {
      open: () => ({ kafka: { consumer: member }, cut: () => {} }) as unknown as Session,
      requireTopics: async () => {},
      logger: pino({ level: 'silent' }),
    },
    { groupId: 'g' },
  );
  const running = consumer.run({ topics: ['t'], onBatch: async () => {} });
  const refused = expect(running).rejects.toMatchObject({ code: 'closed' });
  await expect.poll(() => member.mock.calls.length).toBeGreaterThan(0);
  await consumer.close();
  await refused;
  expect(member.mock.calls[0]![0]).toMatchObject({ sessionTimeout: 6_000, heartbeatInterval: 1_000 });
});
