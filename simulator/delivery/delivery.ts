import { setTimeout as delay } from 'node:timers/promises';
import { DelegateBackoff, handleWhenResult, type IRetryBackoffContext, retry } from 'cockatiel';
import { type Answer, type Connections, createConnections } from '../driver/connections.ts';
import { createHistogram, type Histogram } from '../driver/histogram.ts';
import { bodySha256, type RecordWriter } from '../record/record.ts';
import type { Random } from '../workload/random.ts';
import type { PlannedWebhook, Workload } from '../workload/workload.ts';
import type { Signer } from './sign.ts';

export interface DeliveryOptions {
  /** http://host:port of the API or the gateway. */
  url: string;
  workload: Workload;
  signers: Record<string, Signer>;
  /** Deliveries to make; repeated attempts are not counted. */
  count: number;
  /** Deliveries under way at a time. */
  concurrency: number;
  /** Deliveries per second; as fast as `concurrency` allows when left out. */
  rate?: number;
  record: RecordWriter;
  /** Share of acknowledged order events after which the order is read back. */
  readShare: number;
  /** Access token of these reads; null where there are none. */
  token: string | null;
  random: Random;
  timeoutMs: number;
  /** Time after which a delivery that gets no final answer is given up. */
  giveUpAfterMs: number;
  now: () => Date;
  /** Monotonic, in milliseconds. */
  clock: () => number;
  /** Ends the run early; deliveries under way are finished. */
  signal?: AbortSignal;
}

/** What the simulated provider has seen so far. */
export interface DeliveryTotals {
  delivered: number;
  acknowledged: number;
  /** Deliveries by what the plan meant them to be. */
  planned: Record<string, number>;
  /** Acknowledged deliveries by the API's verdict; `unknown` where the answer carries none, as for Adyen. */
  verdicts: Record<string, number>;
  /** Repeated attempts by the reason: a status or an error code. */
  retries: Record<string, number>;
  /** Final refusals by status. */
  rejected: Record<string, number>;
  gaveUp: number;
  reads: { count: number; stale: number; failed: number; byNode: Record<string, number> };
  /** Microseconds from an attempt's start to its final answer. */
  latency: Histogram;
}

/** An answer, or the code of the error that stands for it. */
interface Attempt {
  answer: Answer | undefined;
  errorCode: string | undefined;
}

/**
 * Delivers planned webhooks as a provider does: signed anew for each attempt, repeated under the same id with the same
 * body until there is a final answer, and recorded on disk before an acknowledgement counts. `totals` may be read
 * while it runs. `run` may be called again, and makes as many deliveries as it is told, or `count`.
 * @throws Error when the record cannot be written.
 */
export function createDelivery(options: DeliveryOptions): {
  totals: DeliveryTotals;
  run(count?: number): Promise<void>;
} {
  const { concurrency, timeoutMs } = options;
  if (options.readShare > 0 && options.token === null) throw new Error('reading orders back needs an access token');
  const totals: DeliveryTotals = {
    delivered: 0,
    acknowledged: 0,
    planned: {},
    verdicts: {},
    retries: {},
    rejected: {},
    gaveUp: 0,
    reads: { count: 0, stale: 0, failed: 0, byNode: {} },
    latency: createHistogram(),
  };
  const run = async (count = options.count): Promise<void> => {
    const connections = createConnections({
      url: options.url,
      max: concurrency,
      timeoutMs,
      readBodies: true,
      token: options.token ?? undefined,
    });
    const startedAt = options.clock();
    let started = 0;
    const worker = async (): Promise<void> => {
      while (started < count && !options.signal?.aborted) {
        const index = started++;
        const webhook = options.workload.next();
        if (options.rate !== undefined) {
          const earlyMs = (index * 1_000) / options.rate - (options.clock() - startedAt);
          if (earlyMs > 0) await delay(earlyMs, undefined, { signal: options.signal }).catch(() => {});
        }
        await deliver(options, connections, totals, webhook);
      }
    };
    try {
      await Promise.all(Array.from({ length: concurrency }, worker));
    } finally {
      await connections.close();
    }
  };
  return { totals, run };
}

async function deliver(
  options: DeliveryOptions,
  connections: Connections,
  totals: DeliveryTotals,
  webhook: PlannedWebhook,
): Promise<void> {
  const sign = options.signers[webhook.provider];
  if (!sign) throw new Error(`no secret for the provider ${webhook.provider}`);
  let body = webhook.body;
  let attemptedAt = 0;
  const attempt = (): Promise<Attempt> => {
    const signed = sign(webhook, options.now());
    body = signed.body;
    attemptedAt = options.clock();
    return exchange(connections, { method: 'POST', ...signed });
  };
  const { answer } = await retryPolicy(options, totals).execute(attempt);
  totals.delivered += 1;
  count(totals.planned, webhook.kind);
  if (!answer || isRetryable(answer)) {
    totals.gaveUp += 1;
    return;
  }
  totals.latency.recordValue(Math.max(1, Math.round((options.clock() - attemptedAt) * 1_000)));
  if (answer.status >= 300) {
    count(totals.rejected, answer.status);
    return;
  }
  const effect = effectOf(answer);
  await options.record.append({
    type: 'ack',
    provider: webhook.provider,
    provider_event_id: webhook.providerEventId,
    body_sha256: bodySha256(body),
    status: answer.status,
    verdict: effect.verdict ?? null,
    order_id: effect.order_id ?? webhook.orderId,
    at: options.now().toISOString(),
  });
  totals.acknowledged += 1;
  count(totals.verdicts, effect.verdict ?? 'unknown');
  if (options.random.next() < options.readShare) await readBack(options, connections, totals, webhook, answer, effect);
}

/** Reads the order with the token of its write: the answer must not be older than the write. */
async function readBack(
  options: DeliveryOptions,
  connections: Connections,
  totals: DeliveryTotals,
  webhook: PlannedWebhook,
  acknowledgement: Answer,
  effect: Effect,
): Promise<void> {
  const token = acknowledgement.headers['x-consistency-token'];
  const expected = Number(effect.sequence);
  if (webhook.disputeId !== null || typeof token !== 'string' || !effect.order_id || !(expected > 0)) return;
  const { answer } = await exchange(connections, {
    method: 'GET',
    path: `/api/v1/orders/${effect.order_id}`,
    headers: ['x-read-consistency', 'session', 'x-consistency-token', token],
    body: null,
  });
  if (!answer || (answer.status !== 200 && answer.status !== 404)) {
    totals.reads.failed += 1;
    return;
  }
  const seen = answer.status === 404 ? 0 : Number(effectOf(answer).sequence ?? 0);
  const node = answer.headers['x-read-node'];
  const nodeName = typeof node === 'string' ? node : null;
  await options.record.append({
    type: 'read',
    order_id: effect.order_id,
    expected_sequence: expected,
    seen_sequence: seen,
    node: nodeName,
    at: options.now().toISOString(),
  });
  totals.reads.count += 1;
  count(totals.reads.byNode, nodeName ?? 'unknown');
  if (seen < expected) totals.reads.stale += 1;
}

function exchange(connections: Connections, request: Parameters<Connections['send']>[0]): Promise<Attempt> {
  return new Promise((resolve) => {
    connections.send(request, (answer, errorCode) => resolve({ answer, errorCode }));
  });
}

const firstPauseMs = 50;
const longestPauseMs = 5_000;

/** No answer, 408, 429 and 5xx are repeated, after Retry-After where the answer has one; the rest is final. */
function retryPolicy({ random, clock, giveUpAfterMs }: DeliveryOptions, totals: DeliveryTotals) {
  const giveUpAt = clock() + giveUpAfterMs;
  const backoff = new DelegateBackoff((context: IRetryBackoffContext<unknown>) => {
    const attempt = 'value' in context.result ? (context.result.value as Attempt) : undefined;
    count(totals.retries, attempt?.answer?.status ?? attempt?.errorCode ?? 'unknown');
    const askedSeconds = Number(attempt?.answer?.headers['retry-after']);
    if (askedSeconds > 0) return Math.min(askedSeconds * 1_000, longestPauseMs);
    const pauseMs = Math.min(firstPauseMs * 2 ** (context.attempt - 1), longestPauseMs);
    // Half of the pause is jitter, so that deliveries that failed together do not return together.
    return pauseMs * (0.5 + random.next() / 2);
  });
  return retry(
    handleWhenResult((result) => {
      const { answer } = result as Attempt;
      return (answer === undefined || isRetryable(answer)) && clock() < giveUpAt;
    }),
    { maxAttempts: Number.MAX_SAFE_INTEGER, backoff },
  );
}

function isRetryable({ status }: Answer): boolean {
  return status >= 500 || status === 429 || status === 408;
}

/** The parts of an answer's `data` that are looked at. */
interface Effect {
  verdict?: string;
  order_id?: string | null;
  sequence?: number | string | null;
}

function effectOf(answer: Answer): Effect {
  try {
    const { data } = JSON.parse(answer.body) as { data: unknown };
    return ((Array.isArray(data) ? data[0] : data) ?? {}) as Effect;
  } catch {
    // Adyen asks for a body of its own; each request has one webhook.
    const verdict = answer.headers['x-webhook-verdict'];
    return typeof verdict === 'string' ? { verdict } : {};
  }
}

function count(counts: Record<string, number>, name: string | number): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
