import { atEach, onEach } from '../../kernel/postgres/hosts.ts';
import type { Database } from './database.ts';
import type { Deployment } from './deployment.ts';
import { type Pgbouncer, startPgbouncer } from './pgbouncer.ts';

/**
 * pgbouncer in front of the API's two roles: `payments` leads to the primary, `payments_replica_1` and so on to the
 * replicas, since the API itself chooses which of them may answer a read.
 */
export function startPooler(deployment: Deployment, runDirectory: string, signal: AbortSignal): Promise<Pgbouncer> {
  const databases = (): Record<string, string> => {
    const { dsn } = deployment.database;
    const replicas = dsn.replicas.map((replica, index) => [replicaName(index), replica]);
    return { payments: dsn.api, ...Object.fromEntries(replicas) };
  };
  return startPgbouncer({ runDirectory, databases, signal });
}

function replicaName(index: number): string {
  return `payments_replica_${index + 1}`;
}

/** How the API reaches its database. */
export function databaseEnvironment(database: Database, pgbouncer: Pgbouncer | undefined): Record<string, string> {
  const { dsn, primary, replicas } = database;
  if (pgbouncer) {
    return {
      DATABASE_URL: pgbouncer.dsn('payments'),
      DATABASE_POOLING: 'transaction',
      POOLER_PREPARED_STATEMENTS: String(pgbouncer.preparedStatements),
      DIRECT_DATABASE_URL: dsn.api,
      ...(replicas.length > 0 && {
        REPLICA_DATABASE_URLS: replicas.map((_replica, index) => pgbouncer.dsn(replicaName(index))).join(','),
      }),
    };
  }
  return {
    DATABASE_URL: onEach(dsn.api, [primary, ...replicas]),
    // The primary too, at the end: after a promotion it may come back as a replica. Until then it is left out.
    ...(replicas.length > 0 && { REPLICA_DATABASE_URLS: atEach(dsn.reader, [...replicas, primary]).join(',') }),
  };
}

/** How the process that notifies reaches its tables, and the outbox's WAL. */
export function notifierEnvironment(database: Database): Record<string, string> {
  const { DATABASE_URL, ...workers } = sourceEnvironment(database);
  const { dsn, primary, replicas } = database;
  return {
    DATABASE_URL: onEach(dsn.notifications, [primary, ...replicas]),
    SOURCE_DATABASE_URL: DATABASE_URL!,
    ...workers,
  };
}

/** Where change data capture reads: the server that takes writes, whichever it is, or every worker of a cluster. */
export function sourceEnvironment({ dsn, primary, replicas, workers }: Database): Record<string, string> {
  return {
    DATABASE_URL: onEach(dsn.cdc, [primary, ...replicas]),
    ...(workers.length > 0 && { WORKER_DATABASE_URLS: atEach(dsn.cdc, workers).join(',') }),
  };
}
