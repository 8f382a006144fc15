import type { Logger } from 'pino';
import { maskConfig } from '../config/load.ts';
import type { HttpServer } from './server.ts';
import { type ShutdownStep, shutdownOnSignal } from './shutdown.ts';

export interface ServeOptions {
  /** Its name in the log. */
  service: string;
  /** Written to the log without its secrets. */
  config: Record<string, unknown> & { SHUTDOWN_TIMEOUT_MS: number };
  logger: Logger;
  /** What ends on SIGTERM or SIGINT, in this order; the HTTP server is one of the steps. */
  shutdown: ShutdownStep[];
}

/** What every service does once it listens: it says where, and on a signal it ends in order. */
export function serveUntilSignal(http: HttpServer, options: ServeOptions): void {
  const { service, config, logger, shutdown } = options;
  logger.info({ url: http.url, config: maskConfig(config) }, `${service} listens`);
  // For a parent that opened a channel: an answer on the port alone could come from another process.
  process.send?.({ listeningPort: http.port });
  shutdownOnSignal({ logger, timeoutMs: config.SHUTDOWN_TIMEOUT_MS, steps: shutdown });
}
