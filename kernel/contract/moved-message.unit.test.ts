import { expect, test } from 'vitest';
import { deadLetterSpecs } from '../../stream/kafka-source/dead-letter.ts';
import { movedMessage } from './moved-message.ts';
import { domainTopicSpecs, sourceTopics, webhookTopicSpecs } from './topics.ts';

const failure = {
  source: { topic: 'webhooks.orders', partition: 0, offset: '1' },
  attempts: 0,
  retryAtMs: null,
  reason: 'oversized',
  detail: 'because',
  failedAtMs: 1,
};
const message = { key: 'u1', value: Buffer.from('text'), headers: { 'correlation-id': 'c' } };

test('a message moves on as it was, with what happened to it', () => {
  expect(movedMessage('t.dlq', message, failure)).toEqual({
    topic: 't.dlq',
    key: 'u1',
    value: message.value,
    headers: expect.objectContaining({ 'correlation-id': 'c', reason: 'oversized' }),
  });
  expect(movedMessage('t.dlq', { ...message, key: null, value: null }, failure)).toMatchObject({
    key: null,
    value: null,
  });
});

test('whatever the message is, every topic that messages move to takes it', () => {
  const huge = 'x'.repeat(9 * 1024 * 1024);
  const { key, value, headers } = movedMessage(
    't.dlq',
    { key: huge, value: Buffer.from(huge), headers: { huge } },
    { ...failure, detail: huge },
  );
  const bytes = (key?.length ?? 0) + value!.length + JSON.stringify(headers).length;
  const limits = [...webhookTopicSpecs, ...deadLetterSpecs(domainTopicSpecs)]
    .filter(({ name }) => /\.(retry|dlq)$/.test(name))
    .map(({ settings }) => Number(settings['max.message.bytes']));
  expect(limits).toHaveLength(2 * sourceTopics.length + domainTopicSpecs.length);
  expect(bytes).toBeGreaterThan(3 * 1024 * 1024);
  expect(bytes + 64 * 1024).toBeLessThan(Math.min(...limits));
});
