import { z } from 'zod';
import type { Environment } from './environment.ts';
import { logLevel, port, positiveInt } from './fields.ts';
import { loadConfig } from './load.ts';

const shape = {
  CLICKHOUSE_HOST: z.string().default('127.0.0.1'),
  CLICKHOUSE_PORT: port.default(8123),
  /** Directory of the data; one process at a time can have it. */
  CLICKHOUSE_DATA: z.string(),
  CLICKHOUSE_USER: z.string().min(1).default('lab'),
  CLICKHOUSE_PASSWORD: z.string().min(1, 'must not be empty'),
  /** Created at the start; queries that name no database mean this one. */
  CLICKHOUSE_DATABASE: z.string().regex(/^[a-z_][a-z0-9_]*$/, 'must be a plain lower-case name'),
  /** Bytes of one request's body, counted after decompression. */
  CLICKHOUSE_BODY_MAX_BYTES: positiveInt.default(256 * 1024 * 1024),
  /** Queries that run at once; the others wait. */
  CLICKHOUSE_QUERIES_MAX: positiveInt.default(4),
  CLICKHOUSE_QUEUE_MAX: positiveInt.default(256),
  LOG_LEVEL: logLevel.default('info'),
  SHUTDOWN_TIMEOUT_MS: positiveInt.default(8_000),
};

export type ClickhouseConfig = ReturnType<typeof loadClickhouseConfig>;

/** Settings of the lab's ClickHouse process. @throws ConfigError that lists every wrong variable. */
export function loadClickhouseConfig(environment: Environment) {
  return loadConfig(shape, environment);
}
