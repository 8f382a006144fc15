import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../runtime/native/free-port.ts';
import { startBroker } from '../../runtime/native/kafka/broker.ts';
import { missingForKafka } from '../../runtime/native/kafka/missing.ts';
import { createRunDirectory, type RunDirectory } from '../../runtime/native/run-directory.ts';
import { describeIf } from '../../test/skip.ts';
import { createLogger } from '../logging.ts';
import { createKafkaClient } from './kafkajs.ts';

/** A broker behind a proxy that can fall silent: connections stay open, and nothing passes them any more. */
describeIf('a connection that dies without a word', await missingForKafka(), () => {
  let run: RunDirectory;
  let proxy: Server;
  const open = new Set<{ silent: boolean }>();
  const topic = 'test.silent';

  beforeAll(async () => {
    run = await createRunDirectory();
    const port = await freePort();
    proxy = createServer((client) => {
      const state = { silent: false };
      open.add(state);
      const server = connect(port, '127.0.0.1');
      client.on('data', (data) => !state.silent && server.write(data)).on('error', () => {});
      server.on('data', (data) => !state.silent && client.write(data)).on('error', () => {});
      client.once('close', () => server.destroy());
      server.once('close', () => !state.silent && client.destroy());
    });
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    const address = `BROKER://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    await startBroker({ runDirectory: run.path, port, settings: { 'advertised.listeners': address } });
  });
  afterAll(async () => {
    await run?.close();
    proxy?.close();
  });

  const newClient = () => {
    const brokers = [`127.0.0.1:${(proxy.address() as AddressInfo).port}`];
    return createKafkaClient({
      brokers,
      clientId: 'lab-test',
      logger: createLogger({ service: 'test', level: 'silent' }),
    });
  };

  test('producer and consumer find another one', { timeout: 240_000 }, async () => {
    const clients = { reader: newClient(), writer: newClient() };
    await clients.writer.ensureTopics([{ name: topic, partitions: 1, settings: {} }]);
    const seen: string[] = [];
    const consumer = clients.reader.createConsumer({ groupId: 'silent' });
    await consumer.run({
      topics: [topic],
      onBatch: async ({ messages }) => void seen.push(...messages.map(({ value }) => value!.toString())),
    });
    const producer = clients.writer.createProducer({ timeoutMs: 3_000 });
    const send = (value: string) => producer.send([{ topic, key: 'k', value }]);
    await send('before');
    await expect.poll(() => seen, { timeout: 10_000 }).toEqual(['before']);
    for (const state of open) state.silent = true;
    await send('told').catch((error) => expect(error).toMatchObject({ code: 'broker_unavailable' }));
    await send('after');
    // With the 30 seconds that kafkajs gives a request this took more than two minutes and a half.
    // A join that was under way waits for the group's own minute first.
    await expect.poll(() => seen.at(-1), { timeout: 140_000 }).toBe('after');
    await Promise.all(Object.values(clients).map((client) => client.close()));
  });
});
