import type { OpenAPIRegistry, ResponseConfig } from '@asteasolutions/zod-to-openapi';
import { readReasons } from '../../kernel/postgres/read-policies.ts';

/** A type and no interface: OpenAPI's own type asks for an index signature. */
type HeaderDescription = {
  description: string;
  schema: { type: 'string' | 'integer'; enum?: string[]; minimum?: number };
  example: string | number;
};

/** Headers of answers, by name; the document describes each once. */
const answerHeaders = {
  'X-Request-ID': {
    description: 'That of the request where it has 1 to 128 printable characters, else a new one.',
    schema: { type: 'string' },
    example: '0b9f2f4e-6f0e-4c53-9d0c-5c1f6f3f8a11',
  },
  'X-Read-Node': { description: 'Node that answered.', schema: { type: 'string' }, example: 'replica-1' },
  'X-Read-Reason': {
    description:
      'Why this node answered. unreadable_token: X-Consistency-Token could not be read, so the primary did. Absent ' +
      'where ClickHouse answers.',
    schema: { type: 'string', enum: [...readReasons] },
    example: 'within_floor',
  },
  'X-Consistency-Token': {
    description: 'Position of this write; opaque. A read that carries it sees the write on any node.',
    schema: { type: 'string' },
    example: 'v2.1.16b374d848',
  },
  'X-Webhook-Verdict': {
    description: 'What was decided of each webhook of the request, where the body is one that the provider asks for.',
    schema: { type: 'string' },
    example: 'applied, duplicate',
  },
  'WWW-Authenticate': {
    description: 'How to authenticate; with error="invalid_token" where a token was sent that is not valid.',
    schema: { type: 'string' },
    example: 'Bearer realm="payments-lab"',
  },
  'Idempotent-Replayed': {
    description: 'true where the answer is the one that was given to the key before.',
    schema: { type: 'string', enum: ['true'] },
    example: 'true',
  },
  'RateLimit-Policy': {
    description: 'Requests that one address may send, and the window in seconds.',
    schema: { type: 'string' },
    example: '60000;w=60',
  },
  'RateLimit-Limit': {
    description: 'Requests that one address may send in a window.',
    schema: { type: 'integer', minimum: 0 },
    example: 60_000,
  },
  'RateLimit-Remaining': {
    description: 'Requests that are left in this window.',
    schema: { type: 'integer', minimum: 0 },
    example: 59_999,
  },
  'RateLimit-Reset': {
    description: 'Seconds until the next window.',
    schema: { type: 'integer', minimum: 0 },
    example: 60,
  },
  'Retry-After': {
    description: 'Seconds after which a repeated request makes sense.',
    schema: { type: 'integer', minimum: 1 },
    example: 1,
  },
} satisfies Record<string, HeaderDescription>;

/** References to the descriptions of these headers. */
export function headerOf(...names: (keyof typeof answerHeaders)[]): NonNullable<ResponseConfig['headers']> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

export function registerHeaders(registry: OpenAPIRegistry): void {
  for (const [name, header] of Object.entries<HeaderDescription>(answerHeaders)) {
    registry.registerComponent('headers', name, header);
  }
}
