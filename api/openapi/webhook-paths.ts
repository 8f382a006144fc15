import { z } from 'zod';
import { batchBody } from '../../kernel/providers/adyen.ts';
import type { Provider } from '../../kernel/providers/provider.ts';
import { chargebackBody, orderBody } from '../../kernel/providers/silvergate.ts';
import { eventBody } from '../../kernel/providers/stripe.ts';
import { anyBody, dataResponse, errorResponses, type PathRegistration } from './describe.ts';

const receipt = z
  .object({
    provider_event_id: z.string(),
    verdict: z.string(),
    order_id: z.string().nullable(),
    dispute_id: z.string().nullable(),
    sequence: z.int().nullable(),
  })
  .meta({ id: 'WebhookReceipt' });

/** What every body of a path looks like. What single types of events need besides the provider's documentation tells. */
const bodies: Readonly<Record<string, z.ZodType>> = {
  'payments/orders': orderBody,
  'payments/chargebacks': chargebackBody,
  stripe: eventBody,
  adyen: batchBody,
};

/** One POST per path of each provider, below /webhooks. */
export function webhookPaths(providers: readonly Provider[]): PathRegistration {
  return (registry) => {
    for (const provider of providers) {
      for (const path of Object.keys(provider.paths)) {
        const schema = bodies[path] ?? z.looseObject({});
        const answer = (description: string) =>
          provider.acceptedText === undefined
            ? dataResponse('webhook', z.union([receipt, z.array(receipt)]), description, 'write')
            : { description, content: { 'text/plain': { schema: z.literal(provider.acceptedText) } } };
        registry.registerPath({
          method: 'post',
          path: `/webhooks/${path}`,
          tags: ['webhooks'],
          summary: `Webhooks of ${provider.name}`,
          description: 'Signed over the raw bytes of the body by the scheme of the provider.',
          request: { body: { required: true, content: { 'application/json': { schema } } } },
          responses: {
            200: answer('Received before; no effect.'),
            202: answer('Stored durably.'),
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
    }
  };
}
