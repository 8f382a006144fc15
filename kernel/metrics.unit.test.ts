import { expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';

test('the state of a watched pool is that of the moment when the metrics are asked for', async () => {
  const metrics = createMetrics({ service: 'api', topology: 'plain' });
  const pool = { totalCount: 0, idleCount: 0, waitingCount: 0 };
  metrics.watchPool('webhooks', pool);
  Object.assign(pool, { totalCount: 5, idleCount: 2, waitingCount: 7 });
  const text = await metrics.registry.metrics();
  for (const [state, count] of [
    ['busy', 3],
    ['idle', 2],
    ['waiting', 7],
  ]) {
    expect(text).toContain(
      `postgres_pool_connections{pool="webhooks",state="${state}",service="api",topology="plain"} ${count}`,
    );
  }
});

test('what is counted one by one at every scrape is not among the default metrics, but the number of files is', async () => {
  const { registry } = createMetrics({ service: 'api', topology: 'plain' });
  const text = await registry.metrics();
  expect(text).not.toMatch(/^nodejs_active_/m);
  expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
  const files = /^process_open_fds\{.*\} (\d+)$/m.exec(text)?.[1];
  if (process.platform === 'linux') expect(Number(files)).toBeGreaterThan(2);
});
