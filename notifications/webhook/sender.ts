import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { Agent, request } from 'undici';
import { type AllowedTargets, checkedAddresses, ForbiddenTargetError } from '../../kernel/http/outgoing-address.ts';
import { within } from '../../kernel/wait.ts';
import type { Claimed, Outcome } from '../notification.ts';

export interface WebhookSenderOptions {
  allowedTargets: AllowedTargets;
  /** For one request, from the look-up of the name to the whole answer. */
  timeoutMs: number;
  now(): Date;
  /** All addresses of a name; the operating system's look-up unless told otherwise. */
  resolve?(name: string): Promise<LookupAddress[]>;
}

/** Of an answer so much is read; its content counts for nothing. */
const maxAnswerBytes = 65_536;

/**
 * Sends signed webhooks. The connection goes to an address that was checked, whatever the name leads to a moment later;
 * a redirect is a failure like any other answer that is not 2xx.
 */
export function createWebhookSender(options: WebhookSenderOptions): (webhook: Claimed) => Promise<Outcome> {
  const resolve = options.resolve ?? ((name: string) => lookup(name, { all: true }));
  return async (notification) => {
    const { endpoint } = notification;
    if (!endpoint) return { kind: 'canceled' };
    const deadline = AbortSignal.timeout(options.timeoutMs);
    try {
      const url = new URL(endpoint.url);
      const addresses = await within(options.timeoutMs, checkedAddresses(url, options.allowedTargets, resolve));
      return await post(url, addresses, signed(notification, endpoint.secret, options.now()), deadline);
    } catch (error) {
      if (error instanceof ForbiddenTargetError) return { kind: 'refused', reason: `url: ${error.message}` };
      return { kind: 'failed', reason: reasonOf(error) };
    }
  };
}

interface SignedWebhook {
  headers: Record<string, string>;
  body: string;
}

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
function signed(notification: Claimed, secret: string, now: Date): SignedWebhook {
  const { notificationId, type, occurredAt, userId, data } = notification;
  const id = `msg_${notificationId}`;
  const body = JSON.stringify({ type, timestamp: occurredAt, data: { ...data, user_id: userId } });
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'payments-lab-webhooks',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
    'webhook-signature': new Webhook(secret).sign(id, now, body),
  };
  return { headers, body };
}

/** An agent for one request: a connection that is kept would outlive the check of its address. */
async function post(
  url: URL,
  addresses: LookupAddress[],
  { headers, body }: SignedWebhook,
  signal: AbortSignal,
): Promise<Outcome> {
  const agent = new Agent({ connect: { lookup: pinned(addresses) }, maxResponseSize: maxAnswerBytes });
  try {
    const { statusCode, body: answer } = await request(url, {
      method: 'POST',
      headers,
      body,
      signal,
      dispatcher: agent,
    });
    await answer.dump({ limit: maxAnswerBytes, signal });
    if (statusCode >= 200 && statusCode < 300) return { kind: 'sent' };
    if (statusCode === 410)
      return { kind: 'refused', reason: 'the endpoint answered 410: it is disabled', disable: true };
    return { kind: 'failed', reason: `the endpoint answered ${statusCode}` };
  } finally {
    await agent.destroy();
  }
}

function pinned(addresses: LookupAddress[]): LookupFunction {
  return (_name, options, callback) => {
    if (options.all) callback(null, addresses);
    else callback(null, addresses[0]!.address, addresses[0]!.family);
  };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'the endpoint did not answer in time';
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : '';
  return `${code}${error.message || (error.cause instanceof Error ? error.cause.message : error.name)}`;
}
