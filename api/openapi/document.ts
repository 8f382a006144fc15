import { OpenAPIRegistry, OpenApiGeneratorV31 } from '@asteasolutions/zod-to-openapi';
import type { PathRegistration } from './describe.ts';

/** The OpenAPI 3.1 document of all registered paths. */
export function openApiDocument(registrations: readonly PathRegistration[]) {
  const registry = new OpenAPIRegistry();
  for (const register of registrations) register(registry);
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Payments scaling lab',
      version: '1',
      description:
        'Orders, disputes and their events, fed by payment providers’ webhooks. Every answer carries X-Request-ID. ' +
        'Amounts are minor units of an ISO 4217 currency. Lists continue with page.next_cursor.',
    },
    servers: [{ url: '/' }],
  });
}
