import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { fieldRefusal } from './errors.ts';
import { parseJsonBody } from './json-body.ts';
import { hasBody, readBytes } from './read-bytes.ts';

/** Reads the raw bytes of a body of at most `maxBytes`, counted after decompression, into `request.body`. */
export function rawBody(maxBytes: number): RequestHandler {
  return (request, response, next) => {
    readBytes(request, response, maxBytes).then((bytes) => {
      request.body = bytes;
      next();
    }, next);
  };
}

/**
 * Reads a JSON body of at most `maxBytes`, counted after decompression, into `request.body`. Other content types get
 * 415 before a byte is read, and `parseJsonBody` refuses what JSON.parse would let through.
 */
export function jsonBody(maxBytes: number): RequestHandler[] {
  return [requireJson, rawBody(maxBytes), parse];
}

/** As `jsonBody`, for endpoints that have nothing to choose: a request without a body counts as `{}`. */
export function optionalJsonBody(maxBytes: number): RequestHandler[] {
  const whenPresent = jsonBody(maxBytes).map(
    (handler): RequestHandler =>
      (request, response, next) =>
        hasBody(request) ? handler(request, response, next) : next(),
  );
  return [
    (request, _response, next) => {
      request.body = {};
      next();
    },
    ...whenPresent,
  ];
}

/** Any parameters, but of character sets only UTF-8, which JSON is in. @throws AppError unsupported_media_type */
export function requireJson(request: Request, _response: Response, next: NextFunction): void {
  const [type, ...parameters] = (request.headers['content-type'] ?? '').toLowerCase().split(';');
  const charset = parameters
    .map((parameter) => /^\s*charset\s*=\s*"?([^"]*?)"?\s*$/.exec(parameter)?.[1])
    .find(Boolean);
  if (type!.trim() !== 'application/json' || (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8')) {
    throw fieldRefusal('unsupported_media_type', 'Content-Type', 'send application/json in UTF-8');
  }
  next();
}

function parse(request: Request, _response: Response, next: NextFunction): void {
  request.body = parseJsonBody(request.body).body;
  next();
}
