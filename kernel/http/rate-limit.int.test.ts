import { expect, test } from 'vitest';
import { startApi } from '../../test/api/running-api.ts';
import { limitRate } from './rate-limit.ts';

test('more requests than are allowed get 429 with Retry-After; health is not limited', async () => {
  const api = await startApi({ topology: 'plain', limiter: limitRate(3) });
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) statuses.push((await api.call('GET', '/api/v1/orders')).status);
  const refused = await api.call('POST', '/api/v1/orders/ord_1/hold', { body: {} });
  const health = await api.call('GET', '/health/live');
  await api.close();
  expect(statuses).toEqual([200, 200, 200, 429]);
  expect({ status: refused.status, code: refused.body.error.code }).toEqual({ status: 429, code: 'rate_limited' });
  const retryAfter = Number(refused.headers.get('retry-after'));
  expect(retryAfter).toBeGreaterThan(0);
  expect(retryAfter).toBeLessThanOrEqual(60);
  expect(health.status).toBe(200);
});
