import type { ClickHouseClient } from '@clickhouse/client';

export interface StageLatency {
  p50Ms: number;
  p99Ms: number;
}

/** Each stage as the difference of two of the times that an event carries. */
const stages = {
  accepted_to_committed: ['accepted_at', 'committed_at'],
  committed_to_read: ['committed_at', 'read_at'],
  committed_to_published: ['committed_at', 'published_at'],
  read_to_sunk: ['read_at', 'sunk_at'],
  published_to_sunk: ['published_at', 'sunk_at'],
  accepted_to_sunk: ['accepted_at', 'sunk_at'],
} as const;

/** The whole way, which is no stage to blame. */
const whole = 'accepted_to_sunk';

/**
 * Percentiles of the stages over the events that came into ClickHouse since `sinceMs` (Unix ms). Stages of which an
 * engine does not know both ends are left out, as are those through Kafka for the native engine.
 */
export async function stageLatencies(client: ClickHouseClient, sinceMs: number): Promise<Record<string, StageLatency>> {
  const columns = Object.entries(stages).map(
    ([name, [from, to]]) => `quantilesExact(0.5, 0.99)(toInt64(dateDiff('millisecond', ${from}, ${to}))) as ${name},
      countIf(${from} is not null and ${to} is not null) as ${name}_n`,
  );
  const result = await client.query({
    query: `select ${columns.join(',\n')} from events
            where sunk_at >= fromUnixTimestamp64Milli({since: Int64}, 'UTC') and accepted_at is not null`,
    query_params: { since: Math.floor(sinceMs) },
    format: 'JSONEachRow',
  });
  const [row] = await result.json<Record<string, unknown>>();
  const found: Record<string, StageLatency> = {};
  for (const name of Object.keys(stages)) {
    const quantiles = row?.[name] as (string | number | null)[] | null | undefined;
    if (!quantiles || Number(row?.[`${name}_n`] ?? 0) === 0) continue;
    found[name] = { p50Ms: Math.max(0, Number(quantiles[0])), p99Ms: Math.max(0, Number(quantiles[1])) };
  }
  // With Kafka in between the way from COMMIT to the topic and on is finer than the reader's own time.
  if (found.committed_to_published) {
    delete found.committed_to_read;
    delete found.read_to_sunk;
  }
  return found;
}

/** The stage with the highest p99; empty where there is none. */
export function slowStage(latencies: Record<string, StageLatency>): string {
  const parts = Object.entries(latencies).filter(([name]) => name !== whole);
  return parts.sort(([, a], [, b]) => b.p99Ms - a.p99Ms)[0]?.[0] ?? '';
}
