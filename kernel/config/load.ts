import { z } from 'zod';
import type { Environment } from './environment.ts';

/** Thrown once, with every wrong variable in its message. */
export class ConfigError extends Error {}

/** Validates the variables that `shape` names. @throws ConfigError with one message that lists every wrong one. */
export function loadConfig<S extends z.ZodRawShape>(shape: S, environment: Environment): z.infer<z.ZodObject<S>> {
  const given: Record<string, string> = {};
  for (const name of Object.keys(shape)) {
    const value = environment[name];
    if (value !== undefined && value !== '') given[name] = value;
    else if (value === '' && isSecretName(name)) given[name] = value;
  }
  const result = z.object(shape).safeParse(given);
  if (result.success) return result.data as z.infer<z.ZodObject<S>>;
  const lines = result.error.issues.map((issue) => {
    const name = String(issue.path[0] ?? '?');
    const reason = given[name] === undefined ? 'is required' : issue.message;
    return `  ${name}: ${reason}`;
  });
  throw new ConfigError(`Wrong environment variables:\n${[...new Set(lines)].join('\n')}`);
}

/** The resolved values for the log: secrets masked, passwords cut out of URLs. */
export function maskConfig(config: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => [name, isSecretName(name) ? '[redacted]' : maskUrls(value)]),
  );
}

function isSecretName(name: string): boolean {
  return /SECRET|PASSWORD|TOKEN|KEY/.test(name);
}

function maskUrls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(maskUrls);
  return typeof value === 'string' ? value.replace(/\/\/([^:/@]*):[^@]*@/, '//$1:[redacted]@') : value;
}
