import { type Request, type RequestHandler, type Response, Router } from 'express';
import type { ReceivedWebhook } from '../contract/webhooks.ts';
import { sendData } from '../http/envelope.ts';
import { AppError } from '../http/errors.ts';
import { methodNotAllowed, toAppError } from '../http/middleware.ts';
import { rawBody, requireJson } from '../http/request-body.ts';
import type { Metrics } from '../metrics.ts';
import { encodeConsistencyToken, type Position } from '../postgres/lsn.ts';
import type { MerchantSettings, Provider, WebhookMapper } from '../providers/provider.ts';
import { receiveWebhook } from './receive.ts';

/** What the service that took a webhook says of it, once it is durable. */
export interface Delivered {
  /** The answer's `data`; always with provider_event_id and verdict. */
  data: { provider_event_id: string; verdict: string; [field: string]: unknown };
  /** Where the verdict is already known, the position that a read has to reach to see its effect. */
  commitLsn?: Position;
}

export interface WebhookRouterOptions {
  providers: readonly Provider[];
  /** By provider name; a provider without secrets is not served. */
  secrets: ReadonlyMap<string, readonly string[]>;
  merchant: MerchantSettings;
  bodyMaxBytes: number;
  now: () => Date;
  metrics: Metrics;
  /** Resolves when every webhook is durable, in order. @throws AppError, or an error of the store or the broker. */
  deliver: (webhooks: ReceivedWebhook[]) => Promise<Delivered[]>;
}

/** The webhook endpoints below /webhooks: the same contract wherever it is mounted. */
export function webhookRouter(options: WebhookRouterOptions): Router {
  const router = Router();
  const readBody = rawBody(options.bodyMaxBytes);
  for (const provider of options.providers) {
    const secrets = options.secrets.get(provider.name);
    if (!secrets) continue;
    for (const [path, map] of Object.entries(provider.paths)) {
      router
        .route(`/${path}`)
        .post(requireJson, readBody, acceptWebhook(options, provider, map, secrets))
        .all(methodNotAllowed('POST'));
    }
  }
  router.use(() => {
    throw new AppError('unknown_provider', 'No provider is registered under this path.');
  });
  return router;
}

function acceptWebhook(
  options: WebhookRouterOptions,
  provider: Provider,
  map: WebhookMapper,
  secrets: readonly string[],
): RequestHandler {
  const { merchant, metrics, now, deliver } = options;
  return async (request: Request, response: Response) => {
    try {
      const { webhooks, cardData } = receiveWebhook({
        provider,
        map,
        merchant,
        secrets,
        // An empty body fails its signature like any other.
        rawBody: request.body,
        headers: request.headers,
        requestId: response.locals.requestId,
        now: now(),
      });
      if (cardData) metrics.webhooksMasked.inc({ provider: provider.name });
      answer(response, provider, await deliver(webhooks));
    } catch (thrown) {
      metrics.webhooksRejected.inc({ provider: provider.name, code: toAppError(thrown).code });
      throw thrown;
    }
  };
}

function answer(response: Response, provider: Provider, delivered: Delivered[]): void {
  const last = delivered.findLast((entry) => entry.commitLsn !== undefined);
  if (last?.commitLsn !== undefined) response.setHeader('X-Consistency-Token', encodeConsistencyToken(last.commitLsn));
  const status = delivered.length > 0 && delivered.every((entry) => entry.data.verdict === 'duplicate') ? 200 : 202;
  if (provider.acceptedText !== undefined) {
    // The body is the provider's; what was decided, an operator and the audit's client read here.
    response.setHeader('X-Webhook-Verdict', delivered.map(({ data }) => data.verdict).join(', '));
    response.status(status).type('text/plain').send(provider.acceptedText);
    return;
  }
  const data = delivered.map((entry) => entry.data);
  sendData(response, 'webhook', data.length === 1 ? data[0] : data, status);
}
