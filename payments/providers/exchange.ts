import { Agent } from 'undici';
import { z } from 'zod';
import { type Answer, callProvider } from '../../kernel/http/call-provider.ts';
import type { Metrics } from '../../kernel/metrics.ts';
import type { Breaker } from './breaker.ts';
import type { ChargeRequest, Outcome, RefundRequest } from './provider.ts';

export interface ExchangeOptions {
  name: string;
  /** Base URL of the provider. */
  url: string;
  /** For one exchange. */
  timeoutMs: number;
  breaker: Breaker;
  metrics: Metrics;
}

export interface Exchange {
  post(operation: string, path: string, body: unknown): Promise<Answer | undefined>;
  get(operation: string, path: string): Promise<Answer | undefined>;
  close(): Promise<void>;
}

/** Requests to a provider, through its breaker: undefined is one that was kept away. */
export function createExchange({ name, url, timeoutMs, breaker, metrics }: ExchangeOptions): Exchange {
  const dispatcher = new Agent({ connections: 64, maxResponseSize: 1024 * 1024 });
  const call = (operation: string, method: 'GET' | 'POST', path: string, body?: unknown) =>
    breaker.run(() =>
      callProvider({
        dispatcher,
        url: url.replace(/\/$/, '') + path,
        method,
        operation: `${name}_${operation}`,
        body,
        timeoutMs,
        metrics,
      }),
    );
  return {
    post: (operation, path, body) => call(operation, 'POST', path, body),
    get: (operation, path) => call(operation, 'GET', path),
    close: () => dispatcher.destroy(),
  };
}

const reference = z.string().regex(/^[\x21-\x7e]{1,255}$/);
const amount = z.union([z.string(), z.number()]).transform(String);

const paymentAnswer = z.object({
  key: z.string(),
  reference,
  status: z.enum(['requires_action', 'authorised', 'captured', 'declined', 'canceled']),
  action_url: z.url().nullish(),
  amount_minor: amount,
  currency: z.string(),
});

const refundAnswer = z.object({
  key: z.string(),
  payment_key: z.string(),
  reference,
  status: z.enum(['refunded']),
  amount_minor: amount,
  currency: z.string(),
});

/** As `Outcome`, with the state between the two halves of a card payment. */
export type Charged = Outcome | { status: 'authorised' };

/** What an answer about a payment says. One about another payment, or another amount, says nothing. */
export function chargeOutcome(request: ChargeRequest, answer: Answer | undefined): Charged {
  const plain = withoutBody(answer);
  if ('status' in plain) return plain;
  const parsed = paymentAnswer.safeParse(plain.body);
  if (!parsed.success) return unknown('the answer could not be read');
  const { data } = parsed;
  if (data.key !== request.key) return unknown('the answer is about another payment');
  if (data.status === 'canceled') return { status: 'canceled' };
  if (data.amount_minor !== String(request.amountMinor) || data.currency !== request.currency) {
    return unknown('the answer is about another amount');
  }
  if (data.status === 'captured') return { status: 'completed', reference: data.reference };
  if (data.status === 'declined') return { status: 'declined', reason: 'declined' };
  if (data.status === 'authorised') return { status: 'authorised' };
  return { status: 'waits_for_payer', actionUrl: data.action_url ?? '' };
}

export function refundOutcome(request: RefundRequest, answer: Answer | undefined): Outcome {
  const plain = withoutBody(answer);
  if ('status' in plain) return plain;
  const parsed = refundAnswer.safeParse(plain.body);
  if (!parsed.success) return unknown('the answer could not be read');
  const { key, payment_key, amount_minor, currency } = parsed.data;
  const matches =
    key === request.key &&
    payment_key === request.paymentKey &&
    amount_minor === String(request.amountMinor) &&
    currency === request.currency;
  if (!matches) return unknown('the answer is about another refund');
  return { status: 'completed', reference: parsed.data.reference };
}

/** What an answer says by itself, or its body. */
function withoutBody(answer: Answer | undefined): Exclude<Outcome, { status: 'completed' }> | { body: unknown } {
  if (!answer) return { status: 'away' };
  if (answer.kind === 'ok') return { body: answer.body };
  if (answer.kind === 'not_found') return { status: 'absent' };
  if (answer.kind === 'unknown') return unknown(answer.reason);
  // Credentials or an address that the provider does not know say nothing of the payment.
  if ([401, 403, 404, 405].includes(answer.status)) return unknown(`status ${answer.status}`);
  return { status: 'declined', reason: `rejected_${answer.status}` };
}

function unknown(reason: string): Outcome & { status: 'unknown' } {
  return { status: 'unknown', reason };
}
