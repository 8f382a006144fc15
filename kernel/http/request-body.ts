import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { AppError } from './errors.ts';
import { parseJsonBody } from './json-body.ts';

/**
 * Reads a JSON body of at most `maxBytes`, counted after decompression, into `request.body`. Other content types get
 * 415 before a byte is read, and `parseJsonBody` refuses what JSON.parse would let through.
 */
export function jsonBody(maxBytes: number): RequestHandler[] {
  const readBytes = express.raw({ type: () => true, limit: maxBytes });
  return [requireJson, readBytes, parse];
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

function hasBody(request: Request): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
}

function requireJson(request: Request, _response: Response, next: NextFunction): void {
  const given = request.headers['content-type'];
  if (given === undefined || !/^application\/json\s*(;\s*charset\s*=\s*"?utf-?8"?\s*)?$/i.test(given)) {
    throw new AppError('unsupported_media_type', 'Content-Type: send application/json in UTF-8.');
  }
  next();
}

function parse(request: Request, _response: Response, next: NextFunction): void {
  // body-parser leaves no Buffer where the request has no body at all.
  request.body = parseJsonBody(Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)).body;
  next();
}
