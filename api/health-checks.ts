import type { ClickHouseClient } from '@clickhouse/client';
import type { Pool, QueryResult } from 'pg';
import type { Dependency } from '../kernel/http/health.ts';
import type { KafkaClient } from '../kernel/kafka/port.ts';
import type { Replica } from '../kernel/postgres/read-router.ts';

export interface CheckedServices {
  webhookPool: Pool;
  replicas: readonly Replica[];
  clickhouse: ClickHouseClient | undefined;
  kafka: KafkaClient | undefined;
}

/**
 * What decides whether an acknowledged webhook outlives a power cut. A database or a role may have other values than the
 * server, so the session says it that takes the webhooks.
 */
const durability = `select current_setting('fsync') as fsync,
  current_setting('full_page_writes') as full_page_writes,
  current_setting('synchronous_commit') as synchronous_commit`;

/** What /health/ready asks. Only a store that takes no webhooks makes the service unready. */
export function healthChecks({ webhookPool, replicas, clickhouse, kafka }: CheckedServices): Dependency[] {
  const checks: Dependency[] = [
    {
      name: 'postgres',
      required: true,
      check: () => webhookPool.query(durability),
      settingsOf: (answer) => (answer as QueryResult<Record<string, string>>).rows[0]!,
    },
  ];
  // Reads fall back to the primary, so a missing replica makes the service slower and not unready.
  for (const { name, pool } of replicas) checks.push({ name, required: false, check: () => pool.query('select 1') });
  // Analytics alone need it, and PostgreSQL answers those too.
  if (clickhouse) checks.push({ name: 'clickhouse', required: false, check: () => assertPong(clickhouse) });
  // Everything but the consumers works without the broker.
  if (kafka) checks.push({ name: 'kafka', required: false, check: () => kafka.ping(1_500) });
  return checks;
}

async function assertPong(clickhouse: ClickHouseClient): Promise<void> {
  const answer = await clickhouse.ping({ select: true });
  if (!answer.success) throw new Error('ClickHouse does not answer');
}
