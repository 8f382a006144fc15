import { Session } from 'chdb';
import { loadClickhouseConfig } from '../../kernel/config/clickhouse.ts';
import { processEnvironment } from '../../kernel/config/environment.ts';
import { maskConfig } from '../../kernel/config/load.ts';
import { listen } from '../../kernel/http/server.ts';
import { shutdownOnSignal } from '../../kernel/http/shutdown.ts';
import { createLogger } from '../../kernel/logging.ts';
import { createClickhouseApp } from './app.ts';
import { openEngine } from './engine.ts';

const config = loadClickhouseConfig(processEnvironment());
const logger = createLogger({ service: 'clickhouse', level: config.LOG_LEVEL });
const database = config.CLICKHOUSE_DATABASE;
const engine = await openEngine({
  Session,
  dataDirectory: config.CLICKHOUSE_DATA,
  database,
  maxQueries: config.CLICKHOUSE_QUERIES_MAX,
  maxQueue: config.CLICKHOUSE_QUEUE_MAX,
});
const app = createClickhouseApp({
  engine,
  user: config.CLICKHOUSE_USER,
  password: config.CLICKHOUSE_PASSWORD,
  database,
  bodyMaxBytes: config.CLICKHOUSE_BODY_MAX_BYTES,
  logger,
});
const http = await listen(app, {
  host: config.CLICKHOUSE_HOST,
  port: config.CLICKHOUSE_PORT,
  requestTimeoutMs: 60_000,
});
logger.info({ url: http.url, version: engine.version, config: maskConfig(config) }, 'clickhouse listens');
// For a parent that opened a channel: an answer on the port alone could come from a process of another user.
process.send?.({ listeningPort: http.port });

shutdownOnSignal({
  logger,
  timeoutMs: config.SHUTDOWN_TIMEOUT_MS,
  steps: [
    { name: 'http', run: () => http.close(config.SHUTDOWN_TIMEOUT_MS - 3_000) },
    { name: 'engine', run: () => engine.close() },
  ],
});
