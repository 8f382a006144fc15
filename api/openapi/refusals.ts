import type { ResponseConfig, RouteConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { type ErrorCode, errorCodes } from '../../kernel/http/errors.ts';
import { headerOf } from './headers.ts';

const names = Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]];

const errorCode = z.enum(names).meta({
  id: 'ErrorCode',
  description: [
    'All codes that there are:',
    '',
    ...names.map((code) => `- \`${code}\` (${errorCodes[code].status}): ${errorCodes[code].meaning}`),
  ].join('\n'),
});

const details = z
  .looseObject({
    fields: z
      .array(z.object({ field: z.string(), reason: z.string() }))
      .optional()
      .meta({
        description:
          'Every field, parameter or header that was refused, and what it must be; `body` is the whole body.',
      }),
  })
  .meta({ description: 'What a program may want to know of the refusal; empty for most codes.' });

const errorBody = z
  .object({
    object: z.literal('error'),
    success: z.literal(false),
    data: z.null(),
    error: z.object({ code: errorCode, message: z.string(), details }),
    trace_id: z.string().nullable().meta({ description: 'The X-Request-ID of this exchange.' }),
  })
  .meta({ id: 'Error' });

/** Where these are answered, Retry-After says when to repeat the request. */
const repeated: readonly ErrorCode[] = [
  'rate_limited',
  'service_unavailable',
  'provider_unavailable',
  'operation_in_progress',
];

/** Error answers by status, each with the codes that it can carry. */
export function errorResponses(...codes: ErrorCode[]): RouteConfig['responses'] {
  const byStatus = Map.groupBy(codes, (code) => errorCodes[code].status);
  return Object.fromEntries([...byStatus].map(([status, some]) => [status, errorResponse(some)]));
}

function errorResponse(codes: ErrorCode[]): ResponseConfig {
  const schema = errorBody.and(z.looseObject({ error: z.looseObject({ code: z.enum(codes as [ErrorCode]) }) }));
  const examples = Object.fromEntries(codes.map((code) => [code, exampleOf(code)]));
  const headers = headerOf(
    'X-Request-ID',
    ...(codes.includes('unauthenticated') || codes.includes('invalid_credentials')
      ? (['WWW-Authenticate'] as const)
      : []),
    ...(codes.some((code) => repeated.includes(code)) ? (['Retry-After'] as const) : []),
  );
  return {
    description: codes.map((code) => `${code}: ${errorCodes[code].meaning}`).join(' '),
    content: { 'application/json': { schema, examples } },
    headers,
  };
}

function exampleOf(code: ErrorCode) {
  const { meaning } = errorCodes[code];
  const fields = exampleFields[code];
  const message = fields ? fields.map(({ field, reason }) => `${field}: ${reason}.`).join(' ') : meaning;
  return {
    summary: meaning,
    value: {
      object: 'error',
      success: false,
      data: null,
      error: { code, message, details: fields ? { fields } : {} },
      trace_id: '0b9f2f4e-6f0e-4c53-9d0c-5c1f6f3f8a11',
    },
  };
}

const exampleFields: Partial<Record<ErrorCode, { field: string; reason: string }[]>> = {
  invalid_request: [{ field: 'currency', reason: 'must be an ISO 4217 currency code in capitals' }],
  malformed_body: [{ field: 'body', reason: 'must be well-formed JSON' }],
  invalid_cursor: [
    { field: 'cursor', reason: 'take it from page.next_cursor and repeat the filters and the sort that it came with' },
  ],
  payload_too_large: [{ field: 'body', reason: 'must be at most 262144 bytes, counted after decompression' }],
  unsupported_media_type: [{ field: 'Content-Type', reason: 'send application/json in UTF-8' }],
};
