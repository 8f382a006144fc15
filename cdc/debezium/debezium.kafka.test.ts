// Longer than 300 lines because one broker, Connect and server serve all of these tests.
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { domainTopicSpecs } from '../../kernel/contract/topics.ts';
import { createKafkaClient } from '../../kernel/kafka/kafkajs.ts';
import type { KafkaClient } from '../../kernel/kafka/port.ts';
import { createLogger } from '../../kernel/logging.ts';
import type { TopologyName } from '../../kernel/topology.ts';
import { enableLogins } from '../../runtime/native/credentials.ts';
import { type Broker, startBroker } from '../../runtime/native/kafka/broker.ts';
import { type Connect, startConnect } from '../../runtime/native/kafka/connect.ts';
import { missingForKafka } from '../../runtime/native/kafka/missing.ts';
import { belongsTo } from '../../runtime/native/leftovers.ts';
import { type PostgresServer, startPostgres } from '../../runtime/native/postgres.ts';
import { listProcesses } from '../../runtime/native/processes.ts';
import { createRunDirectory, type RunDirectory } from '../../runtime/native/run-directory.ts';
import { migrate } from '../../sql/migrate.ts';
import { decodeEvent } from '../../stream/kafka-source/decode.ts';
import { slotStatus } from '../../stream/native/slot.ts';
import type { SinkEvent } from '../../stream/sink.ts';
import { insertOutbox } from '../../test/cdc/outbox.ts';
import { describeIf } from '../../test/skip.ts';
import { connectorHealth, registerConnector, restartFailed, resumeConnector, stopConnector } from './connect-api.ts';
import { alarmOf, reloadConnector, watchConnector } from './watch.ts';

describeIf('Debezium', await missingForKafka(), () => {
  let run: RunDirectory;
  let broker: Broker;
  let postgres: PostgresServer;
  let connect: Connect;
  let kafka: KafkaClient;
  let password: string;
  const topologies = ['plain', 'partitioned'] as const;
  const databases = new Map<TopologyName, Client>();
  /** What arrived, in the order of each partition, which is the order of each user. */
  const arrived: (SinkEvent & { place: string; key: string | null })[] = [];

  beforeAll(async () => {
    run = await createRunDirectory();
    [broker, postgres] = await Promise.all([
      startBroker({ runDirectory: run.path }),
      startPostgres({ runDirectory: run.path, name: 'primary' }),
    ]);
    const maintenance = await connected('postgres');
    for (const topology of topologies) {
      await maintenance.query(`create database ${topology}`);
      await migrate({ dsn: postgres.dsn(topology), topology });
      databases.set(topology, await connected(topology));
    }
    await maintenance.end();
    password = (await enableLogins(postgres.dsn('plain'), ['lab_cdc'])).lab_cdc;
    connect = await startConnect({
      runDirectory: run.path,
      bootstrapServers: broker.bootstrapServers,
      environment: { CDC_DATABASE_PASSWORD: password },
    });
    kafka = createKafkaClient({
      brokers: [broker.bootstrapServers],
      clientId: 'lab-test',
      logger: createLogger({ service: 'test', level: 'silent' }),
    });
    await kafka.ensureTopics(domainTopicSpecs);
    await kafka.createConsumer({ groupId: 'test' }).run({
      topics: domainTopicSpecs.map(({ name }) => name),
      onBatch: async ({ topic, partition, messages }) => {
        for (const message of messages) {
          arrived.push({ ...decodeEvent(message)!, place: `${topic}/${partition}`, key: message.key });
        }
      },
    });
  });
  afterAll(async () => {
    await kafka?.close();
    for (const client of databases.values()) await client.end();
    await run.close();
  });

  async function connected(database: string): Promise<Client> {
    const client = new Client({ connectionString: postgres.dsn(database) });
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  const address = (topology: TopologyName) => ({ url: connect.url, name: `lab_${topology}` });
  const slotName = (topology: TopologyName) => `lab_debezium_${topology}`;

  function register(topology: TopologyName): Promise<void> {
    return registerConnector({
      url: connect.url,
      kafka,
      topics: domainTopicSpecs,
      source: { host: '127.0.0.1', port: postgres.port, database: topology, user: 'lab_cdc' },
      names: { name: address(topology).name, slotName: slotName(topology) },
    });
  }

  const insert = (topology: TopologyName, prefix: string, count: number) =>
    insertOutbox(databases.get(topology)!, { prefix: `${topology}-${prefix}`, count });

  const eventsOf = (prefix: string) => arrived.filter(({ envelope }) => envelope.aggregate_id.startsWith(`${prefix}-`));

  const idsOf = (prefix: string) => new Set(eventsOf(prefix).map(({ envelope }) => envelope.event_id));

  /** The first time that each event came: what a reader sees that leaves repetitions out. */
  function withoutRepetitions(prefix: string) {
    const seen = new Set<string>();
    return eventsOf(prefix).filter(({ envelope }) => !seen.has(envelope.event_id) && seen.add(envelope.event_id));
  }

  function expectOrder(events: readonly SinkEvent[]): void {
    const last = new Map<string, bigint>();
    for (const { envelope } of events) {
      expect(envelope.sequence).toBe((last.get(envelope.aggregate_id) ?? 0n) + 1n);
      last.set(envelope.aggregate_id, envelope.sequence);
    }
  }

  async function slotOf(topology: TopologyName) {
    const { rows } = await databases.get(topology)!.query(
      `select active, active_pid, failover, confirmed_flush_lsn, pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::int as lag
       from pg_replication_slots where slot_name = $1`,
      [slotName(topology)],
    );
    return rows[0];
  }

  const dropSlot = async (topology: TopologyName) => {
    await expect.poll(async () => (await slotOf(topology))?.active ?? false, { timeout: 10_000 }).toBe(false);
    await databases.get(topology)!.query('select pg_drop_replication_slot($1)', [slotName(topology)]);
  };

  test.each(topologies)(
    '%s: what is there before and what comes later arrives once, whole, in order',
    async (topology) => {
      await insert(topology, 'before', 50);
      await register(topology);
      await expect.poll(() => eventsOf(`${topology}-before`).length, { timeout: 20_000 }).toBe(50);
      await insert(topology, 'later', 2_000);
      await expect.poll(() => eventsOf(`${topology}-later`).length, { timeout: 20_000 }).toBe(2_000);
      const events = eventsOf(`${topology}-later`);
      expectOrder(events);
      for (const { key, envelope, place } of events) {
        expect(key).toBe(envelope.user_id);
        expect(place).toMatch(/^domain\.orders\//);
      }
      const { rows } = await databases.get(topology)!.query(
        `select event_id, event_type as type, aggregate_type, aggregate_id, user_id, sequence, payload::text as payload,
              to_char(created_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as occurred_at
       from outbox where aggregate_id like $1 order by created_at`,
        [`${topology}-%`],
      );
      const byId = new Map(arrived.map(({ envelope }) => [envelope.event_id, envelope]));
      for (const row of rows) {
        const envelope = byId.get(row.event_id)!;
        const occurredAt = Date.parse(row.occurred_at);
        expect(envelope).toMatchObject({
          ...row,
          version: 1,
          sequence: BigInt(row.sequence),
          occurred_at: expect.any(String),
        });
        expect(Date.parse(envelope.occurred_at)).toBe(occurredAt);
      }
      const { times } = events.at(-1)!;
      expect(times.committedAtMs).toBeGreaterThan(Date.now() - 60_000);
      expect(times.readAtMs).toBeGreaterThanOrEqual(times.committedAtMs!);
      expect(times.publishedAtMs).toBeGreaterThanOrEqual(times.readAtMs!);
      // The broker's time and not the one that Debezium gave the message.
      expect(events.some(({ times }) => times.publishedAtMs !== times.readAtMs)).toBe(true);
      expect(eventsOf(`${topology}-before`)[0]!.times.committedAtMs).toBeUndefined();
      expect(await slotOf(topology)).toMatchObject({ active: true, failover: true });
    },
  );

  /** Connect takes one change of a configuration after the other: earlier ones have had their effect as well. */
  async function changeConfig(topology: TopologyName, change: Record<string, string>): Promise<void> {
    const before = await slotOf(topology);
    const config = `${connect.url}/connectors/${address(topology).name}/config`;
    const current = (await (await fetch(config)).json()) as Record<string, string>;
    await fetch(config, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...current, ...change }),
    });
    await expect
      .poll(async () => (await slotOf(topology)).active_pid ?? before.active_pid, { timeout: 20_000 })
      .not.toBe(before.active_pid);
  }

  test('registering again changes nothing, and no password leaves Connect', async () => {
    const before = await slotOf('plain');
    await register('plain');
    await changeConfig('partitioned', { 'poll.interval.ms': '40' });
    expect((await slotOf('plain')).active_pid).toBe(before.active_pid);
    const config = await (await fetch(`${connect.url}/connectors/lab_plain/config`)).text();
    const log = await readFile(connect.logFile, 'utf8');
    expect(`${config}${log}`).not.toContain(password);
    expect(await connectorHealth({ url: connect.url, name: 'unknown' })).toMatchObject({ state: 'missing' });
    // By its command line the guard of the run finds it, and by that alone.
    const { command } = (await listProcesses()).find(({ pid }) => pid === connect.pid)!;
    expect(belongsTo(run.path, command)).toBe(true);
    expect(command).not.toContain(password);
  });

  test('an idle outbox holds no WAL back while other tables are written', async () => {
    const client = databases.get('plain')!;
    await client.query('create table noise (text text)');
    await client.query(`insert into noise select repeat('x', 1000) from generate_series(1, 3000)`);
    expect((await slotOf('plain')).lag).toBeGreaterThan(1_000_000);
    await expect.poll(async () => (await slotOf('plain')).lag, { timeout: 15_000 }).toBeLessThan(500_000);
  });

  test('a logical message that another client writes into the WAL holds nothing up', async () => {
    // Its topic would not exist, and the connector would wait for it for ever.
    await databases
      .get('plain')!
      .query("select pg_logical_emit_message(false, 'theirs', ''), pg_logical_emit_message(true, 'theirs', 'text')");
    await insert('plain', 'after-message', 10);
    await expect.poll(() => idsOf('plain-after-message').size, { timeout: 20_000 }).toBe(10);
  });

  test('Connect killed with kill -9 while rows come: nothing is lost, and the order holds', async () => {
    const client = databases.get('partitioned')!;
    let inserted = 0;
    let writing = true;
    const writer = (async () => {
      while (writing) {
        await insertOutbox(client, { prefix: `partitioned-kill${inserted}`, count: 100 });
        inserted += 100;
        await delay(20);
      }
    })();
    await expect.poll(() => idsOf('partitioned-kill0').size, { timeout: 20_000 }).toBe(100);
    connect.kill('SIGKILL');
    const restarted = connect.restart();
    await expect.poll(() => inserted).toBeGreaterThan(2_000);
    writing = false;
    await Promise.all([writer, restarted]);
    const prefixes = Array.from({ length: inserted / 100 }, (_, index) => `partitioned-kill${index * 100}`);
    await expect
      .poll(() => prefixes.reduce((sum, prefix) => sum + idsOf(prefix).size, 0), { timeout: 30_000 })
      .toBe(inserted);
    for (const prefix of prefixes) expectOrder(withoutRepetitions(prefix));
    // No false alarm: slot and stored offset fit after a crash.
    await expect.poll(async () => (await connectorHealth(address('partitioned'))).state).toBe('running');
  });

  const watch = (topology: TopologyName, signal = AbortSignal.timeout(30_000)) =>
    watchConnector({
      ...address(topology),
      slotName: slotName(topology),
      everyMs: 100,
      signal,
      readSlot: () => slotStatus(databases.get(topology)!, slotName(topology)),
    });

  test('a watched connector that is stopped, resumed and restarted raises no alarm', async () => {
    const ending = new AbortController();
    const watching = watch('plain', ending.signal);
    watching.catch(() => {});
    await stopConnector(address('plain'));
    await insert('plain', 'paused', 10);
    await resumeConnector(address('plain'));
    await expect.poll(() => idsOf('plain-paused').size, { timeout: 20_000 }).toBe(10);
    await fetch(`${connect.url}/connectors/lab_plain/restart?includeTasks=true`, { method: 'POST' });
    await insert('plain', 'restarted', 10);
    await expect.poll(() => idsOf('plain-restarted').size, { timeout: 20_000 }).toBe(10);
    ending.abort();
    await watching;
  });

  test('a slot that was moved behind its back stops the connector with an alarm', async () => {
    await stopConnector(address('plain'));
    await insert('plain', 'skipped', 10);
    await expect.poll(async () => (await slotOf('plain')).active, { timeout: 10_000 }).toBe(false);
    const watching = watch('plain');
    watching.catch(() => {});
    // A restart that was asked for before may still have a reader look in.
    const advance = 'select pg_replication_slot_advance($1, pg_current_wal_lsn())';
    await vi.waitFor(() => databases.get('plain')!.query(advance, [slotName('plain')]), { timeout: 20_000 });
    await expect(watching).rejects.toMatchObject({ name: 'CdcAlarm', reason: 'slot_moved' });
    // A watch that begins only now sees it too.
    await expect(watch('plain')).rejects.toMatchObject({ reason: 'slot_moved' });
    expect(await connectorHealth(address('plain'))).toMatchObject({ state: 'paused' });
    expect(idsOf('plain-skipped').size).toBe(0);
  });

  test('a slot that was moved just before its connector read on stops it too', async () => {
    await stopConnector(address('partitioned'));
    await insert('partitioned', 'passed-over', 10);
    await expect.poll(async () => (await slotOf('partitioned')).active, { timeout: 10_000 }).toBe(false);
    const client = databases.get('partitioned')!;
    await client.query('select pg_replication_slot_advance($1, pg_current_wal_lsn())', [slotName('partitioned')]);
    await resumeConnector(address('partitioned'));
    await insert('partitioned', 'read-on', 10);
    await expect.poll(() => idsOf('partitioned-read-on').size, { timeout: 20_000 }).toBe(10);
    // For longer than the pause of a watch nothing has looked.
    const isOld = `select now() - backend_start > interval '1.5 s' as old from pg_stat_replication
                   where pid = (select active_pid from pg_replication_slots where slot_name = $1)`;
    await expect
      .poll(async () => (await client.query(isOld, [slotName('partitioned')])).rows, { timeout: 10_000, interval: 20 })
      .toEqual([{ old: true }]);
    await expect(watch('partitioned')).rejects.toMatchObject({ name: 'CdcAlarm', reason: 'slot_moved' });
    expect(idsOf('partitioned-passed-over').size).toBe(0);
  });

  test('a slot that was dropped behind its back stops the connector with an alarm; a reload brings all back', async () => {
    await stopConnector(address('partitioned'));
    await dropSlot('partitioned');
    await insert('partitioned', 'gap', 10);
    await resumeConnector(address('partitioned'));
    const health = async () => connectorHealth(address('partitioned'));
    await expect.poll(async () => (await health()).state, { timeout: 30_000 }).toBe('failed');
    expect(alarmOf(await health())?.reason).toBe('slot_missing');
    // It does not go on with a new slot, neither now nor after an operator starts it again.
    await restartFailed(address('partitioned'));
    await expect(watch('partitioned')).rejects.toMatchObject({ reason: 'slot_missing' });
    expect(await slotOf('partitioned')).toBeUndefined();
    expect(idsOf('partitioned-gap').size).toBe(0);
    await reloadConnector(address('partitioned'), async () => {});
    await expect.poll(() => idsOf('partitioned-gap').size, { timeout: 30_000 }).toBe(10);
    await insert('partitioned', 'after', 10);
    await expect.poll(() => idsOf('partitioned-after').size, { timeout: 20_000 }).toBe(10);
    expectOrder(withoutRepetitions('partitioned-gap'));
  });
});
