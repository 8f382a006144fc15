import { OpenAPIRegistry, OpenApiGeneratorV31 } from '@asteasolutions/zod-to-openapi';
import type { PathRegistration } from './describe.ts';
import { registerHeaders } from './headers.ts';

const description = `Orders, disputes and their events, fed by payment providers’ webhooks.

- **Requests**: every answer carries X-Request-ID: that of the request where it has 1 to 128 printable characters, else a
  new one; it is the \`trace_id\` of the body. An operation that has query parameters refuses unknown ones with 400. Each
  GET answers HEAD too.
- **Webhooks** are signed by their provider. Operations below /api/v1 need an access token, \`Authorization: Bearer …\`,
  those to get one aside: one that is missing, wrong or expired is answered 401 (unauthenticated), a role that does not
  suffice 403 (forbidden). A customer sees its own objects: those of others are answered as if they were not there.
- **Amounts** are minor units of an ISO 4217 currency. **Lists** continue with \`page.next_cursor\`.
- **Errors** have one envelope and a closed list of codes, see \`ErrorCode\`. Whatever the operation, a request may be
  answered 400 (malformed_body: not HTTP/1.1, invalid_request: no Host), 404 (not_found: no such path, unknown_provider:
  no such webhook path), 405 (method_not_allowed: CONNECT and unserved methods), 408 (request_timeout: it did not arrive
  in time), 413 (payload_too_large: before the rest of the body is read), 417 (expectation_failed: Expect other than
  100-continue) or 431 (headers_too_large). After such an answer, and after any other that comes before the whole body
  was read, the connection ends.
- **Limits**: below /api/v1 the RateLimit headers say how many requests an address has left.`;

const tags = [
  { name: 'access', description: 'Users, their sessions and access tokens.' },
  { name: 'orders', description: 'Orders, their events, holds and captures.' },
  { name: 'disputes', description: 'Disputes, their evidence and its submission.' },
  { name: 'events', description: 'Events of orders and disputes by time.' },
  { name: 'accounts', description: 'Accounts of the ledger: balances, postings, top-ups, withdrawals and holds.' },
  { name: 'transfers', description: 'Money from one account to another.' },
  { name: 'payments', description: 'Payments through a provider, their events and refunds.' },
  {
    name: 'notifications',
    description: 'Mails and webhooks to users and merchants: preferences, endpoints, outcomes.',
  },
  { name: 'analytics', description: 'Figures over many events, from ClickHouse or PostgreSQL.' },
  { name: 'webhooks', description: 'What payment providers send.' },
  { name: 'operations', description: 'Health, metrics and this document.' },
];

/** The OpenAPI 3.1 document of all registered paths. */
export function openApiDocument(registrations: readonly PathRegistration[]) {
  const registry = new OpenAPIRegistry();
  registerHeaders(registry);
  registry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'An access token of POST /api/v1/auth/login. `npx lab token` prints an operator’s for a system of the lab.',
  });
  for (const register of registrations) register(registry);
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'Payments scaling lab',
      version: '1',
      description,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags,
  });
}
