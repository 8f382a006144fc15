import { hash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { ReceivedWebhook } from '../contract/webhooks.ts';
import { AppError } from '../http/errors.ts';
import { parseJsonBody } from '../http/json-body.ts';
import type { Provider, WebhookMapper } from '../providers/provider.ts';

export interface ReceiveInput {
  provider: Provider;
  map: WebhookMapper;
  secrets: readonly string[];
  rawBody: Buffer;
  headers: IncomingHttpHeaders;
  requestId: string;
  now: Date;
}

/**
 * Verifies the signature over the raw bytes, and only then parses and maps the body. Both services that take webhooks
 * call this, so that they accept and refuse exactly the same.
 * @throws AppError invalid_signature, always with the same text, or malformed_body; ZodError that names wrong fields.
 */
export function receiveWebhook(input: ReceiveInput): ReceivedWebhook[] {
  const { provider, rawBody, headers, secrets, now, requestId } = input;
  if (!provider.verify({ rawBody, headers, secrets, now })) {
    throw new AppError('invalid_signature', 'The signature could not be verified.');
  }
  const { text, body } = parseJsonBody(rawBody);
  return input.map(body).map((event) => ({
    provider: provider.name,
    event,
    bodySha256: hash('sha256', event.fingerprint ?? rawBody, 'hex'),
    body: text,
    receivedAt: now,
    requestId,
  }));
}
