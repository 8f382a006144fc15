import { z } from 'zod';
import type { Environment } from './environment.ts';
import { logLevel, port, positiveInt } from './fields.ts';
import { loadConfig } from './load.ts';

const shape = {
  INBOX_HOST: z.string().default('127.0.0.1'),
  INBOX_PORT: port.default(8025),
  INBOX_SMTP_PORT: port.default(1025),
  /** Mails and webhooks that are kept; the oldest ones go first. */
  INBOX_MESSAGES_MAX: positiveInt.max(100_000).default(1_000),
  LOG_LEVEL: logLevel.default('info'),
  SHUTDOWN_TIMEOUT_MS: positiveInt.default(5_000),
};

/** Settings of the lab's inbox. @throws ConfigError that lists every wrong variable. */
export function loadInboxConfig(environment: Environment) {
  return loadConfig(shape, environment);
}
