import { ExponentialBackoff, handleWhenResult, retry } from 'cockatiel';
import { Agent } from 'undici';
import { z } from 'zod';
import { type Answer, callProvider } from '../../kernel/http/call-provider.ts';
import type { Metrics } from '../../kernel/metrics.ts';
import { evidenceLimits } from '../disputes/evidence-input.ts';

export interface CaptureRequest {
  /** The provider's idempotency key: it captures once per id, however often it is asked. */
  captureId: string;
  orderId: string;
  amountMinor: bigint;
  currency: string;
}

/** `unknown` means that it cannot be told yet whether money moved: ask again later, under the same id. */
export type CaptureOutcome =
  | { status: 'completed'; reference: string }
  | { status: 'declined'; reference: string | null; reason: string }
  | { status: 'unknown'; reason: string };

export interface Evidence {
  evidenceId: string;
  fields: Record<string, string>;
  files: { name: string; contentType: string; content: Buffer }[];
}

export type RepresentmentOutcome =
  | { status: 'accepted'; reference: string; evidenceIds: string[] }
  | { status: 'rejected'; reason: string }
  | { status: 'unknown'; reason: string };

export interface ProviderClient {
  /** Sends a capture for the first time. Resolves to a definite outcome or `unknown`, and never throws. */
  capture(request: CaptureRequest): Promise<CaptureOutcome>;
  /** Finishes a capture that may have been sent before: asks for it first, and sends it when it never arrived. */
  resumeCapture(request: CaptureRequest): Promise<CaptureOutcome>;
  /** A provider takes one representment per dispute; a repetition gets the stored one, whatever evidence it carries. */
  represent(disputeId: string, evidence: Evidence[]): Promise<RepresentmentOutcome>;
  /** Longest time in milliseconds that one of the calls above takes. */
  readonly budgetMs: number;
  close(): Promise<void>;
}

export interface ProviderClientOptions {
  /** Base URL of the provider. */
  url: string;
  /** Time for one HTTP exchange that moves money. A query gets a third of it. */
  timeoutMs: number;
  metrics: Metrics;
}

const queryAttempts = 3;
/** A capture asks at most so often: before the first request when it is resumed, and after each of two requests. */
const queryRounds = 3;

/** Both go into events, and no event may become larger than a message of the domain topics. */
const reference = z.string().regex(/^[\x21-\x7e]{1,255}$/);
const declineReason = z.string().transform((text) =>
  text
    .slice(0, 500)
    .replace(/\p{Cc}/gu, ' ')
    .toWellFormed(),
);

const captureAnswer = z.object({
  idempotency_key: z.string(),
  capture_id: reference,
  status: z.enum(['completed', 'declined']),
  decline_reason: declineReason.nullish(),
  order_id: z.string(),
  amount_minor: z.union([z.string(), z.number()]),
  currency: z.string(),
});

const representmentAnswer = z.object({
  representment_id: reference,
  evidence_ids: z.array(reference).max(evidenceLimits.entriesPerDispute),
});

type Call = (operation: string, method: 'GET' | 'POST', path: string, body?: unknown) => Promise<Answer>;

/** One request to the provider; questions get less time than what changes something there. */
function providerCall(options: ProviderClientOptions, dispatcher: Agent, queryTimeoutMs: number): Call {
  return (operation, method, path, body) =>
    callProvider({
      dispatcher,
      operation,
      method,
      body,
      metrics: options.metrics,
      url: new URL(path, options.url).href,
      timeoutMs: method === 'POST' ? options.timeoutMs : queryTimeoutMs,
    });
}

/**
 * A client that never repeats a POST blindly: after a time-out, a reset or a 5xx it asks for the key, with back-off and
 * jitter, and sends again only when the provider says that it never got the request.
 */
export function createProviderClient(options: ProviderClientOptions): ProviderClient {
  const dispatcher = new Agent({ connections: 64, maxResponseSize: 4 * 1024 * 1024 });
  const queryTimeoutMs = Math.ceil(options.timeoutMs / 3);
  const maxBackoffMs = Math.ceil(options.timeoutMs / 6);
  const call = providerCall(options, dispatcher, queryTimeoutMs);
  const queryPolicy = untilKnown(maxBackoffMs);

  /** Sends, asks where the answer was lost, and sends once more where the provider has nothing under the key. */
  async function sendOnce(
    send: () => Promise<Answer>,
    ask: () => Promise<Answer>,
    sentBefore: boolean,
  ): Promise<Answer> {
    let asked: Answer = { kind: 'unknown', reason: 'not asked' };
    for (let round = sentBefore ? 0 : 1; round <= 2; round++) {
      const sent: Answer = round === 0 ? { kind: 'unknown', reason: 'sent before' } : await send();
      if (sent.kind !== 'unknown') return sent;
      asked = await queryPolicy.execute(ask);
      if (asked.kind !== 'not_found') return asked;
    }
    return { kind: 'unknown', reason: 'the provider did not take the request' };
  }

  async function askForCapture(request: CaptureRequest, sentBefore: boolean): Promise<CaptureOutcome> {
    const answer = await sendOnce(
      () =>
        call('capture', 'POST', '/captures', {
          idempotency_key: request.captureId,
          order_id: request.orderId,
          amount_minor: request.amountMinor,
          currency: request.currency,
        }),
      () => call('query_capture', 'GET', `/captures/${encodeURIComponent(request.captureId)}`),
      sentBefore,
    );
    return captureOutcome(request, answer);
  }

  return {
    capture: (request) => askForCapture(request, false),
    resumeCapture: (request) => askForCapture(request, true),
    async represent(disputeId, evidence) {
      const ask = () => call('query_representment', 'GET', `/representments/${encodeURIComponent(disputeId)}`);
      const answer = await sendOnce(
        () => call('represent', 'POST', '/representments', representmentBody(disputeId, evidence)),
        ask,
        false,
      );
      const conflict = answer.kind === 'rejected' && answer.status === 422;
      return representmentOutcome(conflict ? await queryPolicy.execute(ask) : answer);
    },
    budgetMs: 2 * options.timeoutMs + queryRounds * queryAttempts * (queryTimeoutMs + maxBackoffMs),
    close: () => dispatcher.destroy(),
  };
}

/** Asks again, with pauses, while the provider does not answer. */
function untilKnown(maxBackoffMs: number) {
  return retry(
    handleWhenResult((answer) => (answer as Answer).kind === 'unknown'),
    {
      maxAttempts: queryAttempts - 1,
      backoff: new ExponentialBackoff({ initialDelay: maxBackoffMs / 4, maxDelay: maxBackoffMs }),
    },
  );
}

function captureOutcome(request: CaptureRequest, answer: Answer): CaptureOutcome {
  if (answer.kind === 'rejected') {
    return { status: 'declined', reference: null, reason: `rejected_${answer.status}` };
  }
  if (answer.kind !== 'ok') return { status: 'unknown', reason: reasonOf(answer) };
  const parsed = captureAnswer.safeParse(answer.body);
  if (!parsed.success) return { status: 'unknown', reason: 'the answer could not be read' };
  const { data } = parsed;
  const matches =
    data.idempotency_key === request.captureId &&
    data.order_id === request.orderId &&
    String(data.amount_minor) === String(request.amountMinor) &&
    data.currency === request.currency;
  if (!matches) return { status: 'unknown', reason: 'the answer is about another capture' };
  if (data.status === 'completed') return { status: 'completed', reference: data.capture_id };
  return { status: 'declined', reference: data.capture_id, reason: data.decline_reason ?? 'declined' };
}

function representmentBody(disputeId: string, evidence: Evidence[]): unknown {
  return {
    dispute_id: disputeId,
    evidence: evidence.map((item) => ({
      evidence_id: item.evidenceId,
      fields: item.fields,
      files: item.files.map((file) => ({
        name: file.name,
        content_type: file.contentType,
        content_base64: file.content.toString('base64'),
      })),
    })),
  };
}

function representmentOutcome(answer: Answer): RepresentmentOutcome {
  if (answer.kind === 'rejected') return { status: 'rejected', reason: `rejected_${answer.status}` };
  if (answer.kind !== 'ok') return { status: 'unknown', reason: reasonOf(answer) };
  const parsed = representmentAnswer.safeParse(answer.body);
  if (!parsed.success) return { status: 'unknown', reason: 'the answer could not be read' };
  const { representment_id: reference, evidence_ids: evidenceIds } = parsed.data;
  return { status: 'accepted', reference, evidenceIds };
}

function reasonOf(answer: Exclude<Answer, { kind: 'ok' }>): string {
  return answer.kind === 'unknown' ? answer.reason : answer.kind;
}
