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
        'Amounts are minor units of an ISO 4217 currency. Lists continue with page.next_cursor. An operation that has ' +
        'query parameters refuses unknown ones with 400. Whatever the operation, a request may be answered 400 ' +
        '(malformed_body: not HTTP/1.1, invalid_request: no Host), 405 (method_not_allowed: CONNECT and unserved ' +
        'methods), 408 (request_timeout: it did not arrive in time), 413 (payload_too_large: before the rest of the body ' +
        'is read), 417 (expectation_failed: Expect other than 100-continue) or 431 (headers_too_large). After such an ' +
        'answer, and after any other that comes before the whole body was read, the connection ends.',
    },
    servers: [{ url: '/' }],
  });
}
