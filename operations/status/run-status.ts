import { setTimeout as delay } from 'node:timers/promises';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { isAlive } from '../../runtime/native/processes.ts';
import type { ProcessDescription, SystemDescription } from '../../runtime/system-description.ts';
import type { PipelineStatus } from './pipeline-status.ts';

export interface RunStatus {
  id: string;
  topology: string;
  startedAt: string;
  runDirectory: string;
  /** The process of `lab up`, which owns the others; 0 where Docker does. */
  supervisorPid: number;
  urls: SystemDescription['urls'];
  dsn: SystemDescription['dsn'];
  /** By which webhooks and access tokens are signed. */
  secrets: SystemDescription['secrets'];
  processes: (ProcessDescription & { alive: boolean })[];
  /** The server that takes writes; null under Docker. */
  primary: string | null;
  /** Of GET /health/ready: `ok`, or why it is not. */
  api: string;
  /** Of the gateway, in kafka mode. */
  ingest?: string;
  /** From the gateway to ClickHouse, where the system has such a way. */
  pipeline?: PipelineStatus;
  /** What the process that notifies says of itself, where the system has one; null when it does not answer. */
  notifications?: NotificationsStatus | null;
  /** Null when the database does not answer. */
  rows: { orders: number; deliveries: number; parkedWebhooks: number } | null;
  /** Null when the API does not answer. */
  rates: { webhooksPerSecond: number; requestsPerSecond: number; overMs: number } | null;
  replication: {
    replica: string;
    state: string;
    lagBytes: number | null;
    lagMs: number | null;
    synchronous: boolean;
  }[];
  /** Rows that found no partition: more than 0 means that premake fell behind. */
  defaultPartitions: { table: string; rows: number }[];
}

export interface NotificationsStatus {
  state: string;
  alarm: string | null;
  /** By channel. */
  channels: Record<string, { pending: number; dead: number; outage: string | null }>;
}

/** Looks at a running system from outside; never throws because a part of it is down. */
export async function readStatus(run: SystemDescription, sampleMs = 250): Promise<RunStatus> {
  const [processes, api, ingest, rates, database, pipeline, notifications] = await Promise.all([
    readProcesses(run),
    readHealth(run.urls.api),
    run.urls.ingest === undefined ? undefined : readHealth(run.urls.ingest),
    readRates(run.urls.api, sampleMs),
    readDatabase(run.dsn.admin),
    run.mode === 'kafka' || run.urls.cdc ? readPipelineOf(run) : undefined,
    run.urls.notifications === undefined ? undefined : readNotifications(run.urls.notifications),
  ]);
  const { id, topology, startedAt, runDirectory, supervisorPid, urls, dsn, secrets } = run;
  return {
    id,
    topology,
    startedAt,
    runDirectory,
    supervisorPid,
    urls,
    dsn,
    secrets,
    processes,
    primary: run.postgres.primary ?? null,
    api,
    rates,
    ...database,
    ...(ingest !== undefined && { ingest }),
    ...(pipeline && { pipeline }),
    ...(notifications !== undefined && { notifications }),
  };
}

async function readProcesses({ processes, compose }: SystemDescription): Promise<RunStatus['processes']> {
  if (!compose) {
    return Promise.all(processes.map(async (one) => ({ ...one, alive: await isAlive(one.pid) })));
  }
  const { containersOf, hasDoneItsWork } = await import('../../runtime/docker/running.ts');
  return (await containersOf(compose.name).catch(() => []))
    .filter((container) => !hasDoneItsWork(container))
    .map(({ service: name, pid, running, health }) => {
      const alive = running && health !== 'unhealthy';
      return { name, pid, alive, state: alive ? 'running' : 'down', restarts: 0 };
    });
}

async function readNotifications(url: string): Promise<NotificationsStatus | null> {
  try {
    const response = await fetch(`${url}/status`, { signal: AbortSignal.timeout(3_000) });
    const { data } = (await response.json()) as { data: NotificationsStatus };
    return { state: data.state, alarm: data.alarm, channels: data.channels };
  } catch {
    return null;
  }
}

/** Loaded where it is needed only, with the Kafka client that comes along. */
async function readPipelineOf(run: SystemDescription): Promise<PipelineStatus | undefined> {
  const { readPipeline } = await import('./pipeline-status.ts');
  return readPipeline(run);
}

async function readHealth(url: string): Promise<string> {
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(3_000) });
    return response.status === 200 ? 'ok' : `status ${response.status}: ${(await response.text()).slice(0, 500)}`;
  } catch (error) {
    return error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
  }
}

async function readRates(url: string, sampleMs: number): Promise<RunStatus['rates']> {
  try {
    const started = performance.now();
    const before = await scrape(url);
    await delay(sampleMs);
    const after = await scrape(url);
    const overMs = performance.now() - started;
    const perSecond = (name: string) => Math.round((sumOf(after, name) - sumOf(before, name)) / (overMs / 1000));
    return {
      webhooksPerSecond: perSecond('webhooks_total'),
      requestsPerSecond: perSecond('http_request_duration_seconds_count'),
      overMs: Math.round(overMs),
    };
  } catch {
    return null;
  }
}

async function scrape(url: string): Promise<string> {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(3_000) });
  if (!response.ok) throw new Error(`GET /metrics: ${response.status}`);
  return response.text();
}

/** The sum of all series of one metric in Prometheus text format. */
function sumOf(text: string, metric: string): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    const name = line.split(/[{ ]/, 1)[0];
    if (name === metric) sum += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return sum;
}

async function readDatabase(dsn: string): Promise<Pick<RunStatus, 'rows' | 'replication' | 'defaultPartitions'>> {
  try {
    return await withClient(dsn, async (client) => {
      await client.query("set statement_timeout = '5s'");
      const counts = await client.query(
        `select (select count(*) from orders)::float8 as orders,
                (select count(*) from webhook_deliveries)::float8 as deliveries,
                (select count(*) from parked_webhooks)::float8 as "parkedWebhooks"`,
      );
      const replication = await client.query(
        `select application_name as replica, state, sync_state in ('sync', 'quorum') as synchronous,
                pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::float8 as "lagBytes",
                (extract(epoch from replay_lag) * 1000)::float8 as "lagMs"
         from pg_stat_replication order by application_name`,
      );
      const partitions = await client.query(
        'select table_name as "table", row_count::float8 as rows from default_partition_rows() order by 1',
      );
      return { rows: counts.rows[0], replication: replication.rows, defaultPartitions: partitions.rows };
    });
  } catch {
    return { rows: null, replication: [], defaultPartitions: [] };
  }
}
