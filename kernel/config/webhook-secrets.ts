import type { z } from 'zod';
import { providers } from '../providers/index.ts';
import type { Environment } from './environment.ts';
import { secrets } from './fields.ts';
import { ConfigError, loadConfig } from './load.ts';

/**
 * The active secrets of every registered provider, from WEBHOOK_SECRETS_<NAME>. A provider without the variable is not
 * served. Empty secrets, and secrets that the provider's scheme cannot have issued, are refused here, at the start.
 * @throws ConfigError that names the variable.
 */
export function loadWebhookSecrets(environment: Environment): ReadonlyMap<string, readonly string[]> {
  const optionalSecrets = secrets.optional();
  const shape: Record<string, typeof optionalSecrets> = {};
  for (const provider of providers) shape[variableOf(provider.name)] = optionalSecrets;
  const loaded: Record<string, z.infer<typeof optionalSecrets>> = loadConfig(shape, environment);

  const found = new Map<string, readonly string[]>();
  for (const provider of providers) {
    const active = loaded[variableOf(provider.name)];
    if (!active) continue;
    const reason = active.map((secret) => provider.checkSecret(secret)).find((text) => text !== undefined);
    if (reason) throw new ConfigError(`Wrong environment variables:\n  ${variableOf(provider.name)}: ${reason}`);
    found.set(provider.name, active);
  }
  if (found.size === 0) {
    throw new ConfigError(`Wrong environment variables:\n  set one of ${Object.keys(shape).join(', ')}`);
  }
  return found;
}

function variableOf(providerName: string): string {
  return `WEBHOOK_SECRETS_${providerName.toUpperCase()}`;
}
