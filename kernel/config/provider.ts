import { z } from 'zod';
import type { Environment } from './environment.ts';
import { logLevel, port, positiveInt } from './fields.ts';
import { loadConfig } from './load.ts';

const shape = {
  PROVIDER_HOST: z.string().default('127.0.0.1'),
  PROVIDER_PORT: port.default(3100),
  /** JSON-lines file that holds what the provider did; read at the start, appended to before each answer. */
  PROVIDER_LEDGER: z.string(),
  /** Decides, together with a request's key, which requests meet a fault. */
  PROVIDER_SEED: z.coerce.number().int().min(0).default(1),
  /** Signs the wallet's confirmations: whsec_ and base64. Without it none are sent. */
  WALLET_SECRET: z
    .string()
    .regex(/^whsec_/, 'must begin with whsec_')
    .optional(),
  LOG_LEVEL: logLevel.default('info'),
  SHUTDOWN_TIMEOUT_MS: positiveInt.default(5_000),
};

export type ProviderConfig = ReturnType<typeof loadProviderConfig>;

/** The simulated payment provider's settings. @throws ConfigError that lists every wrong variable. */
export function loadProviderConfig(environment: Environment) {
  return loadConfig(shape, environment);
}
