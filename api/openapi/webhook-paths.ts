import type { OpenAPIRegistry, ResponseConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { providerDocuments } from '../../kernel/providers/documents.ts';
import type { Provider } from '../../kernel/providers/provider.ts';
import { anyBody, dataResponse, type PathRegistration } from './describe.ts';
import { headerOf } from './headers.ts';
import { errorResponses } from './refusals.ts';

const receipt = z
  .object({
    provider_event_id: z.string(),
    verdict: z.string().meta({
      description:
        'applied, duplicate, stale (older than what is known), parked (its order is not known yet), quarantined ' +
        '(contradicts what is known) or ignored (moves nothing); accepted by the gateway, which does not know yet.',
    }),
    order_id: z.string().nullable(),
    dispute_id: z.string().nullable(),
    sequence: z.int().nullable(),
  })
  .meta({ id: 'WebhookReceipt' });

const receiptExample = {
  provider_event_id: 'evt_1001',
  verdict: 'applied',
  order_id: 'ord_1001',
  dispute_id: null,
  sequence: 1,
};

/** One POST per path of each provider, below /webhooks. */
export function webhookPaths(providers: readonly Provider[]): PathRegistration {
  return (registry) => {
    for (const provider of providers) {
      const security = registerSignature(registry, provider);
      for (const path of Object.keys(provider.paths)) registerPath(registry, provider, path, security);
    }
  };
}

/** The schemes of the provider's signature headers, as a requirement that needs all of them. */
function registerSignature(registry: OpenAPIRegistry, { name }: Provider): Record<string, string[]>[] {
  const { signature, signatureHeaders } = documentOf(name);
  const schemes = Object.entries(signatureHeaders).map(([header, description]) => {
    const scheme = header.toLowerCase();
    registry.registerComponent('securitySchemes', scheme, {
      type: 'apiKey',
      in: 'header',
      name: header,
      description: `${description}\n\n${signature}`,
    });
    return scheme;
  });
  return schemes.length > 0 ? [Object.fromEntries(schemes.map((scheme) => [scheme, []]))] : [];
}

function registerPath(
  registry: OpenAPIRegistry,
  provider: Provider,
  path: string,
  security: Record<string, string[]>[],
): void {
  const { signature, paths } = documentOf(provider.name);
  const { body, examples } = paths[path]!;
  registry.registerPath({
    method: 'post',
    operationId: `receive${path.replaceAll(/(?:^|\/)(\w)/g, (_match, letter: string) => letter.toUpperCase())}`,
    path: `/webhooks/${path}`,
    tags: ['webhooks'],
    summary: `Webhooks of ${provider.name}`,
    description: `Signed over the raw bytes of the body. ${signature}`,
    security,
    request: { body: { required: true, content: { 'application/json': { schema: body, examples: { ...examples } } } } },
    responses: {
      200: accepted(provider, 'Received before; no effect.', 'duplicate'),
      202: accepted(provider, 'Stored durably.', 'applied'),
      ...errorResponses(
        ...anyBody,
        'invalid_request',
        'invalid_signature',
        'rate_limited',
        'internal_error',
        'service_unavailable',
      ),
    },
  });
}

function accepted(provider: Provider, description: string, verdict: string): ResponseConfig {
  const { acceptedText } = provider;
  if (acceptedText === undefined) {
    return dataResponse('webhook', receipt, description, 'write', { ...receiptExample, verdict });
  }
  return {
    description,
    content: { 'text/plain': { schema: z.literal(acceptedText), example: acceptedText } },
    headers: headerOf('X-Request-ID', 'X-Consistency-Token', 'X-Webhook-Verdict'),
  };
}

function documentOf(name: string) {
  const document = providerDocuments[name];
  if (!document) throw new Error(`kernel/providers/documents.ts has no entry for ${name}`);
  return document;
}
