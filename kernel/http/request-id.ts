import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { NextFunction, Request, Response } from 'express';

/**
 * What a caller may send as X-Request-ID: printable ASCII characters, which every place that keeps it can hold as they
 * are: headers of answers and of Kafka's messages, and JSON in logs, in the outbox and in ClickHouse.
 */
const sane = /^[\x20-\x7e]{1,128}$/;

/** The caller's X-Request-ID when it is sane, else a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && sane.test(given) ? given : randomUUID();
}

/** Gives each request its id; it is the `trace_id` of every answer. */
export function requestId(request: Request, response: Response, next: NextFunction): void {
  const id = requestIdOf(request);
  response.locals.requestId = id;
  response.setHeader('X-Request-ID', id);
  next();
}
