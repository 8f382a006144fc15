import type { OpenAPIRegistry, ResponseConfig, RouteConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { type ErrorCode, errorStatus } from '../../kernel/http/errors.ts';

/** Adds the paths of one folder to the document. Each folder exports one, next to its schemas. */
export type PathRegistration = (registry: OpenAPIRegistry) => void;

/** A bigint as answers carry it: an integer while it is safe, its digits beyond. */
export const amountOutput = z
  .union([z.int(), z.string().regex(/^-?[0-9]+$/)])
  .meta({ description: 'An integer while it is in the safe range, else a string of digits.' });

export const timeOutput = z.iso.datetime();

const traceId = z.string().meta({ description: 'The X-Request-ID of this exchange.' });

const readHeaders = z.object({
  'X-Read-Consistency': z.enum(['primary', 'replica', 'session']).optional().meta({
    description:
      'session (the default) never shows older data than X-Consistency-Token; replica takes what a replica has.',
  }),
  'X-Consistency-Token': z.string().optional().meta({ description: 'From the answer of an earlier write.' }),
});

interface ReadRoute {
  path: string;
  tags: string[];
  summary: string;
  description?: string;
  params?: z.ZodObject;
  query?: z.ZodObject;
  /** Whether the caller may say how fresh the answer has to be; without it, it may. */
  choosesFreshness?: boolean;
}

/** A GET with the headers that reads take. `codes` are the errors besides those of any endpoint. */
export function readRoute(route: ReadRoute, answer: ResponseConfig, ...codes: ErrorCode[]): RouteConfig {
  const { params, query, choosesFreshness = true, ...rest } = route;
  return {
    ...rest,
    method: 'get',
    request: { ...(params && { params }), ...(query && { query }), ...(choosesFreshness && { headers: readHeaders }) },
    responses: { 200: answer, ...errorResponses(...anyEndpoint, ...codes) },
  };
}

/** A JSON body. */
export function jsonBody(schema: z.ZodType, { required = true } = {}) {
  return { required, content: { 'application/json': { schema } } };
}

const readNode = { 'X-Read-Node': { schema: { type: 'string' as const }, description: 'Node that answered.' } };
const token = {
  'X-Consistency-Token': { schema: { type: 'string' as const }, description: 'Position of this write; opaque.' },
};

/** A success answer in the envelope. */
export function dataResponse(object: string, data: z.ZodType, description: string, kind: 'read' | 'write' | 'other') {
  const schema = z.object({
    object: z.literal(object),
    success: z.literal(true),
    data,
    error: z.null(),
    trace_id: traceId,
  });
  return withHeaders(description, schema, kind);
}

/** A page of a list in the envelope. */
export function listResponse(object: string, item: z.ZodType, description: string) {
  const schema = z.object({
    object: z.literal(object),
    success: z.literal(true),
    data: z.array(item),
    error: z.null(),
    trace_id: traceId,
    page: z.object({ has_more: z.boolean(), next_cursor: z.string().nullable() }),
  });
  return withHeaders(description, schema, 'read');
}

function withHeaders(description: string, schema: z.ZodType, kind: 'read' | 'write' | 'other'): ResponseConfig {
  const headers = kind === 'read' ? readNode : kind === 'write' ? token : undefined;
  return { description, content: { 'application/json': { schema } }, ...(headers && { headers }) };
}

const errorBody = z
  .object({
    object: z.literal('error'),
    success: z.literal(false),
    data: z.null(),
    error: z.object({ code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()) }),
    trace_id: traceId.nullable(),
  })
  .meta({ id: 'Error' });

/** Error answers by status, each with the codes that it can carry. */
export function errorResponses(...codes: ErrorCode[]): RouteConfig['responses'] {
  const byStatus = Map.groupBy(codes, (code) => errorStatus[code]);
  return Object.fromEntries(
    [...byStatus].map(([status, names]) => [
      status,
      { description: names.join(', '), content: { 'application/json': { schema: errorBody } } },
    ]),
  );
}

/** Codes that any endpoint below /api/v1 can answer. */
export const anyEndpoint: ErrorCode[] = ['invalid_request', 'rate_limited', 'internal_error', 'service_unavailable'];

/** Codes that any endpoint with a JSON body can answer, besides the above. */
export const anyBody: ErrorCode[] = [
  'malformed_body',
  'request_timeout',
  'payload_too_large',
  'unsupported_media_type',
];
