import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { ContractEvent, ReceivedWebhook } from '../contract/webhooks.ts';
import { AppError } from '../http/errors.ts';
import { parseJsonBody } from '../http/json-body.ts';
import { parseJson } from '../json.ts';
import { maskCardNumbers } from '../providers/card-data.ts';
import { maskJson } from '../providers/mask-json.ts';
import type { MerchantSettings, Provider, WebhookMapper } from '../providers/provider.ts';

export interface ReceiveInput {
  provider: Provider;
  map: WebhookMapper;
  merchant: MerchantSettings;
  secrets: readonly string[];
  rawBody: Buffer;
  headers: IncomingHttpHeaders;
  requestId: string;
  now: Date;
}

export interface Received {
  webhooks: ReceivedWebhook[];
  /** Whether card numbers or security codes were masked. */
  cardData: boolean;
}

/**
 * Verifies the signature over the raw bytes, and only then parses and maps the body. Both services that take webhooks
 * call this, so that they accept and refuse exactly the same. Card data leaves here masked, and so is masked wherever it
 * comes; the digest, by which repetitions are known, is that of what was sent.
 * @throws AppError invalid_signature, always with the same text, or malformed_body; ZodError that names wrong fields.
 */
export function receiveWebhook(input: ReceiveInput): Received {
  const { provider, rawBody, headers, secrets, now, requestId } = input;
  if (!provider.verify({ rawBody, headers, secrets, now })) {
    throw new AppError('invalid_signature', 'The signature could not be verified.');
  }
  const { text, body } = parseJsonBody(rawBody);
  const masked = maskJson(text);
  const cardData = masked !== text;
  const webhooks = input.map(body, input.merchant).map((event) => ({
    provider: provider.name,
    event: cardData ? maskEvent(event) : event,
    bodySha256: hash('sha256', event.fingerprint ?? rawBody, 'hex'),
    body: masked,
    receivedAt: now,
    requestId,
    isReleased: false,
  }));
  return { webhooks, cardData };
}

function maskEvent(event: ContractEvent): ContractEvent {
  const fingerprint = event.fingerprint === null ? null : maskJson(event.fingerprint);
  if (event.target === 'none') return { ...event, fingerprint };
  const meta = parseJson(maskJson(JSON.stringify(event.meta))) as Record<string, unknown>;
  if (event.target === 'order') return { ...event, fingerprint, meta };
  return { ...event, fingerprint, meta, reason: maskCardNumbers(event.reason) };
}
