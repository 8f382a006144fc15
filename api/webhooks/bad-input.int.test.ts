import { describe, expect, it } from 'vitest';
import { testRefusals } from '../../test/webhooks/refusals.ts';
import { startWebhookServer } from '../../test/webhooks/server.ts';
import { orderBody, postSilvergate } from '../../test/webhooks/signing.ts';

testRefusals(async (limits) => {
  const { url, query, close } = await startWebhookServer({ topology: 'partitioned', ...limits });
  const stored = async () => Number((await query('select count(*) as count from webhook_deliveries'))[0]!.count);
  return { url, stored, close };
});

describe('the store is away', () => {
  it('503 with Retry-After, and nothing of the database in the answer', async () => {
    const away = await startWebhookServer({ topology: 'plain', dsn: 'postgresql://absent:pw@127.0.0.1:1/none' });
    try {
      const answer = await postSilvergate(away.url, 'orders', orderBody());
      expect([answer.status, answer.body.error.code]).toEqual([503, 'service_unavailable']);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(JSON.stringify(answer.body)).not.toMatch(/127\.0\.0\.1|ECONN|absent/);
    } finally {
      await away.close();
    }
  });

  it('429 with Retry-After when the queue is full', async () => {
    const small = await startWebhookServer({ topology: 'plain', maxQueue: 1 });
    try {
      const answers = await Promise.all(
        Array.from({ length: 30 }, () => postSilvergate(small.url, 'orders', orderBody())),
      );
      const refusals = answers.filter((answer) => answer.status === 429);
      expect(refusals.length).toBeGreaterThan(0);
      expect(Number(refusals[0]!.headers.get('retry-after'))).toBeGreaterThan(0);
      const accepted = answers.filter((answer) => answer.status === 202).length;
      expect(await small.query('select count(*)::int as count from webhook_deliveries')).toEqual([{ count: accepted }]);
    } finally {
      await small.close();
    }
  });
});
