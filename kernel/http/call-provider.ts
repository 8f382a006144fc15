import { type Dispatcher, request } from 'undici';
import type { Metrics } from '../metrics.ts';
import { toJson } from './envelope.ts';

/** What one HTTP exchange told. `unknown`: the request may or may not have had its effect. */
export type Answer =
  | { kind: 'ok'; body: unknown }
  | { kind: 'not_found' }
  | { kind: 'rejected'; status: number }
  | { kind: 'unknown'; reason: string };

export interface Call {
  dispatcher: Dispatcher;
  url: string;
  method: 'GET' | 'POST';
  /** Label of the metric. */
  operation: string;
  body?: unknown;
  /** For the whole exchange, from the connection to the last byte. */
  timeoutMs: number;
  metrics: Metrics;
}

/** Statuses that say "later" and not "no". */
const transientStatuses = new Set([408, 409, 425, 429]);

/** One exchange, without any retry and without following redirects. Never throws. */
export async function callProvider(call: Call): Promise<Answer> {
  const started = performance.now();
  const answer = await exchange(call).catch((error: unknown): Answer => ({ kind: 'unknown', reason: failure(error) }));
  call.metrics.providerRequestDuration.observe(
    { operation: call.operation, outcome: answer.kind },
    (performance.now() - started) / 1000,
  );
  return answer;
}

async function exchange(call: Call): Promise<Answer> {
  const response = await request(call.url, {
    dispatcher: call.dispatcher,
    method: call.method,
    signal: AbortSignal.timeout(call.timeoutMs),
    ...(call.body !== undefined && { body: toJson(call.body), headers: { 'content-type': 'application/json' } }),
  });
  const status = response.statusCode;
  if (status >= 200 && status < 300) return { kind: 'ok', body: await response.body.json() };
  await response.body.dump();
  if (status === 404 && call.method === 'GET') return { kind: 'not_found' };
  // A refused query, as after a change of credentials, says nothing of the request that it asks about.
  const refused = status >= 400 && status < 500 && !transientStatuses.has(status);
  if (refused && call.method === 'POST') return { kind: 'rejected', status };
  return { kind: 'unknown', reason: `status ${status}` };
}

/** A short name of the failure, without addresses. */
function failure(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  if (error.name === 'TimeoutError') return 'timed out';
  return String((error as { code?: unknown }).code ?? error.name);
}
