import { setTimeout as delay } from 'node:timers/promises';
import { describe } from 'vitest';
import { domainTopicSpecs } from '../../kernel/contract/topics.ts';
import { createKafkaClient } from '../../kernel/kafka/kafkajs.ts';
import type { KafkaClient } from '../../kernel/kafka/port.ts';
import { createLogger } from '../../kernel/logging.ts';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { generatePassword } from '../../runtime/native/credentials.ts';
import { type Broker, startBroker } from '../../runtime/native/kafka/broker.ts';
import { type Connect, startConnect } from '../../runtime/native/kafka/connect.ts';
import { missingForKafka } from '../../runtime/native/kafka/missing.ts';
import { type PostgresServer, startPostgres } from '../../runtime/native/postgres.ts';
import { throwawaySettings } from '../../runtime/native/postgres-settings.ts';
import { createRunDirectory, type RunDirectory } from '../../runtime/native/run-directory.ts';
import { migrate } from '../../sql/migrate.ts';
import { deadLetterSpecs } from '../../stream/kafka-source/dead-letter.ts';
import { describeEngine, type Pipeline } from '../../test/cdc/conformance.ts';
import { type EngineProcess, startEngine } from '../../test/cdc/engine-process.ts';
import { describeIf } from '../../test/skip.ts';
import { deleteConnector, registerConnector } from './connect-api.ts';

describeIf('the engine behind Debezium', await missingForKafka(), () => {
  let run: RunDirectory;
  let broker: Broker;
  let connect: Connect;
  let server: PostgresServer;
  let kafka: KafkaClient;
  const password = generatePassword();
  const topics = domainTopicSpecs.map(({ name }) => name);
  let opened = 0;

  describe('conformance', () =>
    describeEngine('debezium', {
      topologies: ['partitioned'],
      patienceMs: 60_000,
      beforeAll: async () => {
        run = await createRunDirectory();
        [broker, server] = await Promise.all([
          startBroker({ runDirectory: run.path }),
          startPostgres({ runDirectory: run.path, name: 'primary', settings: throwawaySettings }),
        ]);
        connect = await startConnect({
          runDirectory: run.path,
          bootstrapServers: broker.bootstrapServers,
          environment: { CDC_DATABASE_PASSWORD: password },
        });
        const logger = createLogger({ service: 'test', level: 'silent' });
        kafka = createKafkaClient({ brokers: [broker.bootstrapServers], clientId: 'lab-test', logger });
        await kafka.ensureTopics([...domainTopicSpecs, ...deadLetterSpecs(domainTopicSpecs)]);
      },
      afterAll: async () => {
        await kafka?.close();
        await run?.close();
      },
      open,
    }));

  async function open(topology: 'plain' | 'partitioned', storeUrl: string): Promise<Pipeline> {
    opened += 1;
    const name = `cdc_${opened}`;
    const groupId = `group-${opened}`;
    await withClient(server.dsn(), (client) => client.query(`create database ${name}`));
    const dsn = server.dsn(name);
    await migrate({ dsn, topology });
    await withClient(dsn, (client) => client.query(`alter role lab_cdc login password '${password}'`));
    await skipOlderMessages(groupId);
    const engines: EngineProcess[] = [];
    const address = { url: connect.url, name };
    return {
      dsn,
      start: async () => {
        await registerConnector({
          url: connect.url,
          kafka,
          topics: domainTopicSpecs,
          source: { host: '127.0.0.1', port: server.port, database: name, user: 'lab_cdc' },
          names: { name, slotName: name },
        });
        const engine = startEngine({
          storeUrl,
          engine: { kind: 'kafka', brokers: [broker.bootstrapServers], groupId },
        });
        engines.push(engine);
        for (let state = ''; state !== 'streaming'; await delay(50)) state = (await engine.status()).status.state;
      },
      stop: async () => {
        const end = await engines.at(-1)!.stop();
        if (end.code !== 0) throw new Error(`The engine ended with ${JSON.stringify(end)}:\n${engines.at(-1)!.log()}`);
      },
      kill: () => engines.at(-1)!.kill(),
      log: () => engines.map((engine) => engine.log()).join('\n'),
      close: async () => {
        for (const engine of engines) if (!engine.exit()) await engine.kill();
        await deleteConnector(address);
        await withClient(server.dsn(), async (client) => {
          const slot = 'from pg_replication_slots where slot_name = $1';
          for (;;) {
            const { rowCount } = await client.query(`select ${slot} and active`, [name]);
            if (rowCount === 0) break;
            await delay(50);
          }
          await client.query(`select pg_drop_replication_slot(slot_name) ${slot}`, [name]);
          await client.query(`drop database ${name} with (force)`);
        });
      },
    };
  }

  /** The topics are one for all tests: the group begins behind what the tests before it left there. */
  async function skipOlderMessages(groupId: string): Promise<void> {
    const consumer = kafka.createConsumer({ groupId });
    await consumer.run({ topics, onBatch: async () => {} });
    for (let lag = 1n; lag > 0n; await delay(50)) {
      const partitions = await kafka.groupLag(groupId, topics);
      lag = partitions.reduce((sum, partition) => sum + partition.lag, 0n);
    }
    await consumer.close();
  }
});
