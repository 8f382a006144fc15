import { z } from 'zod';
import { splitHosts } from '../postgres/hosts.ts';

/** Schemas for the single environment variables; a variable that is set to nothing counts as not set. */
export const port = z.coerce.number().int().min(0).max(65535);
export const positiveInt = z.coerce.number().int().min(1);
export const logLevel = z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']);

/** One or, where it says so, several servers: see `splitHosts`. */
export const postgresUrl = z.string().superRefine((value, context) => {
  try {
    splitHosts(value);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
  }
});

export const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' });

/** The code of an account at Adyen. */
export const merchantAccount = z.string().regex(/^[^\s:,]{1,200}$/, 'must be merchant accounts, comma-separated');

/** Comma-separated list without empty members. */
export function listOf<T extends z.ZodType<string, string>>(item: T) {
  return z
    .string()
    .transform((value) =>
      value
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean),
    )
    .pipe(z.array(item));
}

/** One or two active secrets; the second is the former one during a rotation. An empty secret is refused. */
export const secrets = z
  .string()
  .transform((value) => value.split(',').map((part) => part.trim()))
  .pipe(
    z
      .array(z.string().min(1, 'a secret must not be empty'))
      .max(2, 'at most two secrets can be active: the new one and the one it replaces'),
  );

export const flag = z.enum(['true', 'false']).transform((value) => value === 'true');

/** Comma-separated `host:port` addresses, at least one. */
export const brokerList = listOf(z.string().regex(/^[^\s:/,]+:\d{1,5}$/, 'must be host:port, comma-separated')).refine(
  (brokers) => brokers.length > 0,
  'must name at least one broker',
);

/** `host:port` of targets in private networks that requests to the outside may go to all the same. */
export const allowedTargets = listOf(
  z.string().regex(/^[^\s/@,]+:\d{1,5}$/, 'must be host:port, comma-separated'),
).default([]);
