import type { Admin, ITopicMetadata } from 'kafkajs';
import { expect, test, vi } from 'vitest';
import { createAdministration } from './kafkajs-admin.ts';
import type { Session } from './kafkajs-session.ts';

const withLeader = (leader: number): { topics: ITopicMetadata[] } => ({
  topics: [{ name: 't', partitions: [{ partitionErrorCode: 0, partitionId: 0, leader, replicas: [1], isr: [1] }] }],
});
const refusal = (type: string) => Object.assign(new Error(type), { type });

function administration(fetchTopicMetadata: Admin['fetchTopicMetadata']) {
  const admin: Partial<Admin> = {
    connect: async () => {},
    listTopics: async () => [],
    createTopics: async () => true,
    fetchTopicMetadata,
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
