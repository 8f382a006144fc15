import type { ErrorRequestHandler, NextFunction, Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { ZodError } from 'zod';
import { reasonOf } from '../failure.ts';
import { createLineLimit } from '../line-limit.ts';
import { isTransient } from '../postgres/errors.ts';
import { sendError } from './envelope.ts';
import { AppError, fieldRefusal, type RefusedField } from './errors.ts';

/** Last in a route's chain: every method that the route does not serve gets 405 with Allow. */
export function methodNotAllowed(...allowed: string[]): RequestHandler {
  return (_request, response) => {
    response.setHeader('Allow', allowed.join(', '));
    throw new AppError('method_not_allowed', `This path answers ${allowed.join(', ')} only.`);
  };
}

/** After all routes. */
export function notFound(_request: Request, _response: Response, next: NextFunction): void {
  next(new AppError('not_found', 'No such path. GET /openapi.json lists every path.'));
}

const linesPerSecond = 10;

/**
 * The edge where errors become answers. Texts of databases and stack traces stay in the log: a refusal or an outage is
 * one line there without a stack, a few of a kind in a second and then their number; an unexpected error keeps its stack.
 */
export function errorHandler(logger: Logger): ErrorRequestHandler {
  const limit = createLineLimit(linesPerSecond, (code, count) => logger.warn({ code, count }, `… and ${count} more`));
  return (thrown, request, response, _next) => {
    const error = toAppError(thrown);
    const fields = {
      code: error.code,
      status: error.status,
      request_id: response.locals.requestId,
      path: request.path,
    };
    if (error.code === 'internal_error') {
      logger.error({ err: thrown, ...fields }, 'request failed');
    } else if (error.status >= 500) {
      const reason = reasonOf(error.cause ?? error);
      limit(error.code, () => logger.error({ ...fields, reason }, 'request failed'));
    } else {
      limit(error.code, () => logger.info(fields, 'request refused'));
    }
    // Too late for an answer: the connection is cut, so that the client can tell that something is missing.
    if (response.headersSent) response.destroy();
    else sendError(response, error);
  };
}

/** Maps whatever was thrown to the closed list of codes. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  if (thrown instanceof ZodError) return validationError(thrown);
  if (isTransient(thrown)) {
    return new AppError('service_unavailable', 'The database cannot answer now. Repeat the request later.', {
      retryAfterSeconds: 1,
      cause: thrown,
    });
  }
  return bodyParserError(thrown) ?? new AppError('internal_error', 'An unexpected error occurred.', { cause: thrown });
}

/** One message that names every wrong field, with the reason for each in `details.fields`. */
function validationError(error: ZodError): AppError {
  const fields: RefusedField[] = error.issues.slice(0, 20).map((issue) => ({
    field: issue.path.join('.') || (issue.code === 'unrecognized_keys' ? issue.keys.join(', ') : 'body'),
    reason: issue.message,
  }));
  const named = fields.map((entry) => `${entry.field}: ${entry.reason}`).join('; ');
  return new AppError('invalid_request', named, { details: { fields } });
}

/** Errors of body-parser and of the router, told apart by `type` and `status` as their documentation lists them. */
function bodyParserError(thrown: unknown): AppError | undefined {
  const { type, status } = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as Record<string, unknown>;
  if (type === 'entity.too.large') {
    return fieldRefusal('payload_too_large', 'body', 'is too large, counted after decompression');
  }
  if (type === 'encoding.unsupported') {
    return fieldRefusal('unsupported_media_type', 'Content-Encoding', 'use gzip, deflate, br or none');
  }
  if (type === 'charset.unsupported')
    return fieldRefusal('unsupported_media_type', 'Content-Type', 'use charset utf-8');
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return fieldRefusal('malformed_body', 'request', 'could not be read; check its path, body and Content-Length');
  }
  return undefined;
}
