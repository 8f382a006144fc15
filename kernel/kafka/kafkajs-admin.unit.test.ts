import type { Admin, ITopicMetadata } from 'kafkajs';
import { expect, test, vi } from 'vitest';
import { createAdministration } from './kafkajs-admin.ts';
import type { Session } from './kafkajs-session.ts';

const withLeader = (leader: number): { topics: ITopicMetadata[] } => ({
  topics: [{ name: 't', partitions: [{ partitionErrorCode: 0, partitionId: 0, leader, replicas: [1], isr: [1] }] }],
});
const refusal = (type: string) => Object.assign(new Error(type), { type });

function administration(fetchTopicMetadata: Admin['fetchTopicMetadata'], more: Partial<Admin> = {}) {
  const admin: Partial<Admin> = {
    connect: async () => {},
    listTopics: async () => [],
    createTopics: async () => true,
    fetchTopicMetadata,
    ...more,
  };
  const session = { kafka: { admin: () => admin }, cut: () => {} } as unknown as Session;
  return createAdministration(() => session);
}

test('a new topic is waited for until its broker knows it and its leader', async () => {
  const fetchTopicMetadata = vi
    .fn<Admin['fetchTopicMetadata']>()
    .mockRejectedValueOnce(refusal('UNKNOWN_TOPIC_OR_PARTITION'))
    .mockRejectedValueOnce(refusal('LEADER_NOT_AVAILABLE'))
    .mockResolvedValueOnce(withLeader(-1))
    .mockResolvedValueOnce(withLeader(1));
  await administration(fetchTopicMetadata).ensureTopics([{ name: 't', partitions: 1, settings: {} }]);
  expect(fetchTopicMetadata).toHaveBeenCalledTimes(4);
});

test('what else the broker answers is the answer', async () => {
  const refused = administration(() => Promise.reject(refusal('TOPIC_AUTHORIZATION_FAILED')));
  await expect(refused.ensureTopics([{ name: 't', partitions: 1, settings: {} }])).rejects.toThrow(
    'TOPIC_AUTHORIZATION_FAILED',
  );
});

test('a connection that was closed since the last call is replaced, and that once only', async () => {
  const listTopics = vi.fn<Admin['listTopics']>().mockRejectedValue(new TypeError('topicMetadata of null'));
  const topics = administration(async () => withLeader(1), { listTopics, describeCluster: vi.fn() });
  await topics.ping(1_000);
  await expect(topics.messageLimits(['t'])).rejects.toMatchObject({ code: 'broker_unavailable' });
  expect(listTopics).toHaveBeenCalledTimes(2);
  listTopics.mockClear();
  // The first call of a new connection has nothing to replace.
  await expect(topics.messageLimits(['t'])).rejects.toMatchObject({ code: 'broker_unavailable' });
  expect(listTopics).toHaveBeenCalledTimes(1);
});
