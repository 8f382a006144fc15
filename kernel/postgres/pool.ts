import { Pool, type PoolConfig, types } from 'pg';
import type { Logger } from 'pino';
import { failureFields } from '../failure.ts';
import { parseJson } from '../json.ts';
import { splitHosts } from './hosts.ts';
import { clientOfPooler, type TransactionPooling } from './pooled-client.ts';
import { clientsOfPrimary, createPrimaryFinder } from './primary-finder.ts';
import { pinnedSession, type SessionSettings } from './session-settings.ts';

export interface PoolOptions {
  /** postgresql:// URL; with several hosts, see `splitHosts`, the pool follows the one that takes writes. */
  dsn: string;
  /** Appears in pg_stat_activity. */
  applicationName: string;
  logger: Logger;
  max?: number;
  /** A statement that runs longer is cancelled by the server. */
  statementTimeoutMs?: number;
  /**
   * Time after which this side gives a query up, for servers that neither answer nor break the connection. It counts
   * for cursors as a whole, so pools that stream exports leave it out.
   */
  queryTimeoutMs?: number;
  /** How long a caller waits for a free connection before the request fails as unavailable. */
  acquireTimeoutMs?: number;
  /** Sends the queries of one client without waiting for the answers in between (libpq's pipeline mode). */
  pipeline?: boolean;
  /** PostgreSQL settings of every connection, beside those of `pinnedSession`. */
  sessionSettings?: SessionSettings;
  /** The URL leads to a pooler that lends a server session for a transaction each, and not to the server. */
  transactionPooling?: TransactionPooling | undefined;
}

export interface ServicePool extends Pool {
  /** See PrimaryClients; does nothing where the URL names one server. */
  follow(timeline: number): Promise<void>;
}

/**
 * A pool whose int8 columns arrive as bigint, and numbers in JSON as they were written: amounts and sequences must not
 * pass through floating point.
 * An idle connection that breaks is logged and replaced, and never ends the process.
 */
export function createPool(options: PoolOptions): ServicePool {
  const dsns = splitHosts(options.dsn);
  if (options.transactionPooling && dsns.length > 1) {
    throw new Error('a pooler is one host: it leads to the primary by itself');
  }
  const limits = {
    statement_timeout: options.statementTimeoutMs ?? 10_000,
    idle_in_transaction_session_timeout: 30_000,
  };
  const clients =
    dsns.length > 1 ? clientsOfPrimary(createPrimaryFinder({ dsns, timeoutMs: findPrimaryTimeoutMs })) : undefined;
  const config: PoolConfig & { pipeline?: boolean } = {
    application_name: options.applicationName,
    max: options.max ?? 10,
    connectionTimeoutMillis: options.acquireTimeoutMs ?? 3_000,
    keepAlive: true,
    types: { getTypeParser },
    ...sessionOf(dsns[0]!, options, limits),
    ...(clients && { Client: clients.Client }),
    ...(options.queryTimeoutMs && { query_timeout: options.queryTimeoutMs }),
    ...(options.pipeline && { pipeline: true }),
  };
  const pool = new Pool(config);
  pool.on('error', (error) => options.logger.warn(failureFields(error), 'idle database connection lost'));
  return Object.assign(pool, { follow: clients?.follow ?? (async () => {}) });
}

/** How connections are made and get their settings: with the session where there is one, else with each transaction. */
function sessionOf(dsn: string, options: PoolOptions, limits: Record<string, number>): PoolConfig {
  const { sessionSettings = {}, transactionPooling } = options;
  if (transactionPooling) {
    const asText = Object.entries(limits).map(([name, value]) => [name, String(value)]);
    const Client = clientOfPooler(transactionPooling, { ...Object.fromEntries(asText), ...sessionSettings });
    return { connectionString: dsn, Client };
  }
  return { ...limits, ...pinnedSession(dsn, sessionSettings) };
}

/** Shorter than the time that a caller waits for a connection. */
const findPrimaryTimeoutMs = 1_000;

const int8Oid = 20;
const jsonOid = 114;
const jsonbOid = 3802;

function getTypeParser(oid: number, format?: 'text' | 'binary') {
  if (oid === int8Oid && format !== 'binary') return (text: string) => BigInt(text);
  if (oid === jsonOid || oid === jsonbOid) return (text: string) => parseJson(text);
  return types.getTypeParser(oid, format as 'text');
}
