import type { OpenAPIRegistry, ResponseConfig, RouteConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import type { ErrorCode } from '../../kernel/http/errors.ts';
import { headerOf } from './headers.ts';
import { errorResponses } from './refusals.ts';

/** Adds the paths of one folder to the document. Each folder exports one, next to its schemas. */
export type PathRegistration = (registry: OpenAPIRegistry) => void;

/** A bigint as answers carry it: an integer while it is safe, its digits beyond. */
export const amountOutput = z
  .union([z.int(), z.string().regex(/^-?[0-9]+$/)])
  .meta({ description: 'An integer while it is in the safe range, else a string of digits.' });

export const timeOutput = z.iso.datetime();

/** The X-Request-ID of the examples. */
export const exampleTraceId = '0b9f2f4e-6f0e-4c53-9d0c-5c1f6f3f8a11';

export const traceId = z.string().meta({ description: 'The X-Request-ID of this exchange.' });

const readHeaders = z.object({
  'X-Read-Consistency': z.enum(['primary', 'replica', 'session']).optional().meta({
    description:
      'session (the default) never shows older data than X-Consistency-Token; replica takes what a replica has.',
  }),
  'X-Consistency-Token': z
    .string()
    .optional()
    .meta({
      description:
        'From the answer of an earlier write. One that cannot be read is no error: the primary answers, with ' +
        'X-Read-Reason: unreadable_token.',
    }),
});

/** The access token, by the name of its scheme in the document. */
const withToken: Record<string, string[]>[] = [{ bearer: [] }];

/** What every operation of the document has, besides its answers. */
interface Operation {
  /** The name of the operation in generated clients. */
  operationId: string;
  path: string;
  tags: string[];
  summary: string;
  description?: string;
  /** Whether customers are refused; without it, they are not, and see what is theirs. */
  operatorsOnly?: boolean;
  params?: z.ZodObject;
}

interface ReadOperation extends Operation {
  query?: z.ZodObject;
  /** Whether the caller may say how fresh the answer has to be; without it, it may. */
  choosesFreshness?: boolean;
}

/** A GET below /api/v1. `codes` are the errors besides those of any endpoint. */
export function readRoute(route: ReadOperation, answer: ResponseConfig, ...codes: ErrorCode[]): RouteConfig {
  const { params, query, choosesFreshness = true, operatorsOnly = false, ...rest } = route;
  return {
    ...rest,
    ...(operatorsOnly && { description: forOperators(rest.description) }),
    method: 'get',
    security: withToken,
    request: { ...(params && { params }), ...(query && { query }), ...(choosesFreshness && { headers: readHeaders }) },
    responses: rateLimited({
      200: answer,
      ...errorResponses(...anyEndpoint, ...(operatorsOnly ? (['forbidden'] as const) : []), ...codes),
    }),
  };
}

/** Chosen by the caller; the same key and request get the same answer for a day. */
export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters without spaces');

const moneyHeaders = z.object({
  'Idempotency-Key': idempotencyKey.meta({
    description:
      'Chosen by the caller, for one request. A repetition within 24 hours gets the answer of the first, a refusal too; ' +
      'another request under the key gets 422.',
  }),
});

interface Command extends Operation {
  body: z.ZodType;
  /** Whether it needs an Idempotency-Key; without it, it does not. */
  movesMoney?: boolean;
  /** Whether the request must have a body; without it, it must. */
  bodyRequired?: boolean;
  /** Whether a request may come without an access token; without it, it may not. */
  isOpen?: boolean;
  /** Bodies by a name. */
  examples: Record<string, { summary: string; value: unknown }>;
}

/** A POST with a JSON body below /api/v1. `codes` are the errors besides those of any endpoint with a body. */
export function commandRoute(
  command: Command,
  answers: Record<number, ResponseConfig>,
  ...codes: ErrorCode[]
): RouteConfig {
  const { params, body, bodyRequired = true, movesMoney = false, isOpen = false, examples, ...others } = command;
  const { operatorsOnly = false, ...rest } = others;
  const anyCode = isOpen ? anyEndpoint.filter((code) => code !== 'unauthenticated') : [...anyEndpoint];
  if (operatorsOnly) anyCode.push('forbidden');
  return {
    ...rest,
    ...(operatorsOnly && { description: forOperators(rest.description) }),
    method: 'post',
    security: isOpen ? [] : withToken,
    request: {
      ...(params && { params }),
      ...(movesMoney && { headers: moneyHeaders }),
      body: { required: bodyRequired, content: { 'application/json': { schema: body, examples } } },
    },
    responses: rateLimited({ ...answers, ...errorResponses(...anyCode, ...anyBody, ...codes) }),
  };
}

/** A DELETE below /api/v1, without a body. `codes` are the errors besides those of any endpoint. */
export function removeRoute(operation: Operation, answer: ResponseConfig, ...codes: ErrorCode[]): RouteConfig {
  const { params, ...rest } = operation;
  return {
    ...rest,
    method: 'delete',
    security: withToken,
    request: { ...(params && { params }) },
    responses: rateLimited({ 200: answer, ...errorResponses(...anyEndpoint, ...codes) }),
  };
}

function forOperators(description: string | undefined): string {
  return [description, 'Needs the role operator or admin.'].filter(Boolean).join(' ');
}

/** Below /api/v1 every answer says how many requests are left. */
function rateLimited(responses: RouteConfig['responses']): RouteConfig['responses'] {
  const limit = headerOf('RateLimit-Policy', 'RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset');
  return Object.fromEntries(
    Object.entries(responses).map(([status, response]) => [
      status,
      { ...response, headers: { ...(response as ResponseConfig).headers, ...limit } } as ResponseConfig,
    ]),
  );
}

export type AnswerKind = 'read' | 'write' | 'money' | 'other';

/** A success answer in the envelope. @param example Its `data` in the document. */
export function dataResponse(
  object: string,
  data: z.ZodType,
  description: string,
  kind: AnswerKind,
  example: unknown,
): ResponseConfig {
  const schema = z.object({
    object: z.literal(object),
    success: z.literal(true),
    data,
    error: z.null(),
    trace_id: traceId,
  });
  const value = { object, success: true, data: example, error: null, trace_id: exampleTraceId };
  return { description, content: { 'application/json': { schema, example: value } }, headers: answerHeaders(kind) };
}

/** A page of a list, in an envelope that is named for the list. @param example One item of it. */
export function listResponse(object: string, item: z.ZodType, description: string, example: unknown): ResponseConfig {
  const schema = z
    .object({
      object: z.literal(`${object}_list`),
      success: z.literal(true),
      data: z.array(item),
      error: z.null(),
      trace_id: traceId,
      page: z.object({ has_more: z.boolean(), next_cursor: z.string().nullable() }).meta({ id: 'Page' }),
    })
    .meta({ id: `${inCapitals(object)}List` });
  const value = {
    object: `${object}_list`,
    success: true,
    data: [example],
    error: null,
    trace_id: exampleTraceId,
    page: { has_more: false, next_cursor: null },
  };
  return { description, content: { 'application/json': { schema, example: value } }, headers: answerHeaders('read') };
}

/** `order_event` → `OrderEvent`. */
function inCapitals(name: string): string {
  return name.replaceAll(/(?:^|_)(\w)/g, (_match, letter: string) => letter.toUpperCase());
}

export function answerHeaders(kind: AnswerKind): ResponseConfig['headers'] {
  if (kind === 'read') return headerOf('X-Request-ID', 'X-Read-Node', 'X-Read-Reason');
  if (kind === 'money') return headerOf('X-Request-ID', 'X-Consistency-Token', 'Idempotent-Replayed');
  return kind === 'write' ? headerOf('X-Request-ID', 'X-Consistency-Token') : headerOf('X-Request-ID');
}

/** Codes that any endpoint below /api/v1 can answer. */
export const anyEndpoint: ErrorCode[] = [
  'invalid_request',
  'unauthenticated',
  'rate_limited',
  'internal_error',
  'service_unavailable',
];

/** Codes that any endpoint with a JSON body can answer, besides the above. */
export const anyBody: ErrorCode[] = [
  'malformed_body',
  'request_timeout',
  'payload_too_large',
  'unsupported_media_type',
];
