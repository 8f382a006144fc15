import { setTimeout as delay } from 'node:timers/promises';
import kafkajs, { type Admin } from 'kafkajs';
import { answerWithin, protocolError, toKafkaError } from './kafkajs-errors.ts';
import type { Session } from './kafkajs-session.ts';
import { KafkaError, type PartitionLag, type PartitionOffsets, type TopicSpec } from './port.ts';

/** Everything that is neither writing nor reading messages, over one connection that is made when it is needed. */
export interface Administration {
  ensureTopics(topics: readonly TopicSpec[]): Promise<void>;
  groupLag(groupId: string, topics: readonly string[]): Promise<PartitionLag[]>;
  topicOffsets(topic: string): Promise<PartitionOffsets[]>;
  /** Largest message of each topic in bytes. @throws KafkaError `unknown_topic` that names those that don't exist. */
  messageLimits(topics: readonly string[]): Promise<Map<string, number>>;
  ping(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

const timeoutMs = 15_000;

interface AdminConnection {
  admin: Admin;
  session: Session;
  ready: Promise<void>;
}

function connect(session: Session): AdminConnection {
  const admin = session.kafka.admin();
  const ready = admin.connect();
  // Each call awaits it, and a failure in between belongs to none.
  ready.catch(() => {});
  return { admin, session, ready };
}

export function createAdministration(open: () => Session): Administration {
  let current: AdminConnection | undefined;

  /** A connection that failed is not used again: the next call makes another. */
  const call = async <T>(what: string, limitMs: number, work: (admin: Admin) => Promise<T>): Promise<T> => {
    const begun = performance.now();
    const isUsed = current !== undefined;
    current ??= connect(open());
    const mine = current;
    try {
      return await answerWithin(
        limitMs,
        mine.ready.then(() => work(mine.admin)),
        what,
      );
    } catch (error) {
      if (!(error instanceof KafkaError && error.code === 'unknown_topic')) {
        mine.session.cut();
        if (current === mine) current = undefined;
      }
      // kafkajs fails with a TypeError of its own where the broker has closed the connection since the last call: that
      // says nothing of the broker, and a new connection may well be answered.
      if (isUsed && error instanceof TypeError) return call(what, limitMs - (performance.now() - begun), work);
      throw toKafkaError(error);
    }
  };

  return {
    ensureTopics: (topics) => call('creating topics', timeoutMs, (admin) => ensureTopics(admin, topics)),
    groupLag: (groupId, topics) =>
      call('reading the lag', timeoutMs, async (admin) => {
        await requireTopics(admin, topics);
        return groupLag(admin, groupId, topics);
      }),
    topicOffsets: (topic) =>
      call('reading offsets', timeoutMs, async (admin) => {
        await requireTopics(admin, [topic]);
        return topicOffsets(admin, topic);
      }),
    messageLimits: (topics) =>
      call('looking up topics', timeoutMs, async (admin) => {
        await requireTopics(admin, topics);
        return messageLimits(admin, topics);
      }),
    ping: (limitMs) =>
      call('ping', limitMs, async (admin) => {
        await admin.describeCluster();
      }),
    close: async () => {
      const mine = current;
      current = undefined;
      if (!mine) return;
      await answerWithin(1_000, mine.admin.disconnect(), 'closing').catch(() => {});
      mine.session.cut();
    },
  };
}

async function requireTopics(admin: Admin, topics: readonly string[]): Promise<void> {
  const known = new Set(await admin.listTopics());
  const missing = [...new Set(topics)].filter((topic) => !known.has(topic));
  if (missing.length > 0) throw new KafkaError('unknown_topic', missingMessage(missing));
}

async function messageLimits(admin: Admin, topics: readonly string[]): Promise<Map<string, number>> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
      configNames: ['max.message.bytes'],
    })),
  });
  return new Map(
    resources.map(({ resourceName, configEntries }) => [resourceName, Number(configEntries[0]!.configValue)]),
  );
}

function missingMessage(topics: readonly string[]): string {
  const [subject, verb] = topics.length === 1 ? ['The topic', 'does'] : ['The topics', 'do'];
  return `${subject} ${topics.join(', ')} ${verb} not exist. Topics are created explicitly, by ensureTopics.`;
}

async function ensureTopics(admin: Admin, topics: readonly TopicSpec[]): Promise<void> {
  const known = new Set(await admin.listTopics());
  const created = topics.filter(({ name }) => !known.has(name));
  if (created.length > 0) {
    await admin.createTopics({
      // kafkajs's own wait fails when the broker has not heard of the topic yet.
      waitForLeaders: false,
      topics: created.map(({ name, partitions, settings }) => ({
        topic: name,
        numPartitions: partitions,
        // The broker's default.
        replicationFactor: -1,
        configEntries: entriesOf(settings),
      })),
    });
    await untilLed(
      admin,
      created.map(({ name }) => name),
    );
  }
  const existing = topics.filter(({ name }) => known.has(name));
  if (existing.length === 0) return;
  await addPartitions(admin, existing);
  await changeSettings(admin, existing);
}

/** A broker hears of a new topic, and of its leaders, a moment after the controller has made it. */
async function untilLed(admin: Admin, names: string[]): Promise<void> {
  for (;;) {
    const found = await admin.fetchTopicMetadata({ topics: names }).catch((error) => {
      const type = protocolError(error);
      if (type !== 'UNKNOWN_TOPIC_OR_PARTITION' && type !== 'LEADER_NOT_AVAILABLE') throw error;
    });
    const isLed = found?.topics.every(
      ({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0),
    );
    if (isLed) return;
    await delay(100);
  }
}

async function addPartitions(admin: Admin, topics: readonly TopicSpec[]): Promise<void> {
  const { topics: metadata } = await admin.fetchTopicMetadata({ topics: topics.map(({ name }) => name) });
  const counts = new Map(metadata.map(({ name, partitions }) => [name, partitions.length]));
  const grown = topics.filter(({ name, partitions }) => partitions > (counts.get(name) ?? 0));
  if (grown.length === 0) return;
  await admin
    .createPartitions({ topicPartitions: grown.map(({ name, partitions }) => ({ topic: name, count: partitions })) })
    .catch((error) => {
      // Another process was quicker.
      if (protocolError(error) !== 'INVALID_PARTITIONS') throw error;
    });
}

async function changeSettings(admin: Admin, topics: readonly TopicSpec[]): Promise<void> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map(({ name }) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
  });
  const found = new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  );
  const changed = topics.filter(({ name, settings }) =>
    Object.entries(settings).some(([setting, value]) => found.get(name)?.get(setting) !== value),
  );
  if (changed.length === 0) return;
  await admin.alterConfigs({
    validateOnly: false,
    resources: changed.map(({ name, settings }) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
      configEntries: entriesOf(settings),
    })),
  });
}

function entriesOf(settings: Readonly<Record<string, string>>): { name: string; value: string }[] {
  return Object.entries(settings).map(([name, value]) => ({ name, value }));
}

async function topicOffsets(admin: Admin, topic: string): Promise<PartitionOffsets[]> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return offsets
    .map(({ partition, low, high }) => ({ partition, start: BigInt(low), end: BigInt(high) }))
    .sort((a, b) => a.partition - b.partition);
}

async function groupLag(admin: Admin, groupId: string, topics: readonly string[]): Promise<PartitionLag[]> {
  if (topics.length === 0) return [];
  const committed = await admin.fetchOffsets({ groupId, topics: [...topics] });
  const rows: PartitionLag[] = [];
  for (const topic of topics) {
    const own = committed.find((entry) => entry.topic === topic)?.partitions ?? [];
    for (const { partition, start, end } of await topicOffsets(admin, topic)) {
      const text = own.find((entry) => entry.partition === partition)?.offset;
      const offset = text === undefined || text === '-1' ? null : BigInt(text);
      const lag = end - (offset === null || offset < start ? start : offset);
      rows.push({ topic, partition, committed: offset, end, lag: lag > 0n ? lag : 0n });
    }
  }
  return rows;
}
