import type { SystemDescription } from '../system-description.ts';
import { databaseName } from './database.ts';
import type { Deployment } from './deployment.ts';
import type { Part } from './part.ts';
import type { Prometheus } from './prometheus.ts';
import { writeDescription } from './run-directory.ts';
import type { PartWatch } from './supervisor-watch.ts';
import { listParts, type SystemParts } from './system-parts.ts';

/** What is known of a system, and the parts of it that runs. */
export interface SystemState {
  fixed: Pick<
    SystemDescription,
    'id' | 'mode' | 'cdc' | 'runDirectory' | 'supervisorPid' | 'startedAt' | 'secrets' | 'storage'
  >;
  deployment: Deployment;
  parts: SystemParts;
  prometheus: Prometheus | undefined;
  watch: PartWatch;
}

/** Every part that belongs to the system now; servers that a promotion has left behind do not. */
export function listAll({ deployment, parts, prometheus }: SystemState): Part[] {
  return [...deployment.servers, ...listParts(parts), ...(prometheus?.parts ?? [])];
}

export function describe(state: SystemState): SystemDescription {
  const { fixed, deployment, parts, prometheus, watch } = state;
  const { topology, database, conversion, fenced } = deployment;
  const { api, provider, payments, ingest, clickhouse, connect, cdcProcess, pgbouncer, broker } = parts;
  const { notifications, inbox } = parts;
  return {
    ...fixed,
    topology,
    urls: {
      api: api.url,
      provider: provider.url,
      payments: payments.url,
      ingest: ingest?.url,
      clickhouse: clickhouse?.url,
      connect: connect?.url,
      cdc: cdcProcess?.url,
      prometheus: prometheus?.url,
      notifications: notifications?.url,
      inbox: inbox?.url,
    },
    dsn: database.dsn,
    conversion,
    pooler: pgbouncer && {
      version: pgbouncer.version,
      dsn: pgbouncer.dsn(databaseName),
      preparedStatements: pgbouncer.preparedStatements,
    },
    kafka: broker && { brokers: [broker.bootstrapServers] },
    postgres: { kind: database.primary.kind, version: database.primary.version, primary: database.primary.name },
    processes: [
      ...listAll(state).map((part) => watch.describe(part)),
      ...fenced.map(({ name, pid }) => ({ name, pid, state: 'fenced' as const, restarts: 0 })),
    ],
  };
}

/** Writes the system down as it is at that moment; one call after the other, since they share a file. */
export function descriptionWriter(state: SystemState): () => Promise<void> {
  let queue: Promise<void> = Promise.resolve();
  return () => {
    const written = queue.then(() => writeDescription(describe(state)));
    queue = written.catch(() => {});
    return written;
  };
}
