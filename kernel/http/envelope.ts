import type { ServerResponse } from 'node:http';
import type { Response } from 'express';
import type { AppError } from './errors.ts';

export interface Page {
  has_more: boolean;
  next_cursor: string | null;
}

/**
 * JSON text of a body in which bigint amounts become integers while they are safe, and digit strings beyond. Hot paths
 * convert theirs with `jsonAmount` beforehand: a replacer that is called for every member costs more than the rest.
 */
export function toJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? jsonAmount(item) : item));
  }
}

/** A bigint as JSON carries it: a number in the safe integer range, else its digits as a string. */
export function jsonAmount(value: bigint): number | string {
  const asNumber = Number(value);
  return Number.isSafeInteger(asNumber) ? asNumber : value.toString();
}

/** Answers with the success envelope. `object` names what `data` is, in the singular. */
export function sendData(response: Response, object: string, data: unknown, status = 200): void {
  const envelope = { object, success: true, data, error: null, trace_id: response.locals.requestId };
  endWithJson(response, status, envelope);
}

/** As `sendData`, of JSON text with `object` and `data` that was written before, and is not written anew. */
export function sendTextOfData(response: Response, text: string, status: number): void {
  const traceId = JSON.stringify(response.locals.requestId ?? null);
  endWithText(response, status, `${text.slice(0, -1)},"success":true,"error":null,"trace_id":${traceId}}`);
}

/** Answers with a page of a list. `object` names one item; the envelope is named for the list, such as `order_list`. */
export function sendList(response: Response, object: string, rows: readonly unknown[], page: Page): void {
  const envelope = {
    object: `${object}_list`,
    success: true,
    data: rows,
    error: null,
    trace_id: response.locals.requestId,
    page,
  };
  endWithJson(response, 200, envelope);
}

/** Answers with the error envelope and, where they apply, Retry-After and WWW-Authenticate. */
export function sendError(response: Response, error: AppError): void {
  if (error.retryAfterSeconds !== undefined) response.setHeader('Retry-After', String(error.retryAfterSeconds));
  // RFC 9110 asks for it with every 401; webhooks are signed, for which there is no registered scheme.
  if (error.code === 'unauthenticated' || error.code === 'invalid_credentials')
    response.setHeader('WWW-Authenticate', challengeOf(error));
  endWithJson(response, error.status, errorEnvelope(error, response.locals.requestId));
}

/** RFC 6750: no error is named to a client that sent no token. */
function challengeOf({ details }: AppError): string {
  const realm = 'Bearer realm="payments-lab"';
  return details.token === 'invalid' ? `${realm}, error="invalid_token"` : realm;
}

/** What Express's `send` would do, without its look at ETag, freshness and character sets. */
export function endWithJson(response: ServerResponse, status: number, envelope: Record<string, unknown>): void {
  endWithText(response, status, toJson(envelope));
}

function endWithText(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(text));
  // As a string, since that leaves in one write with the headers.
  response.end(text);
}

/** The error envelope as a plain object, also for answers written without Express. */
export function errorEnvelope(error: AppError, traceId: string | undefined): Record<string, unknown> {
  return {
    object: 'error',
    success: false,
    data: null,
    error: { code: error.code, message: error.message, details: error.details },
    trace_id: traceId ?? null,
  };
}
