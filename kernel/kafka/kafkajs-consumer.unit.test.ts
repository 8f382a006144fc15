import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createKafkajsConsumer } from './kafkajs-consumer.ts';

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
