import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Engine } from './engine.ts';
import { ClickhouseException, codes, toException } from './exception.ts';
import { type RequestParts, readBody, readParts } from './request.ts';
import { contentType, send, summaryOf } from './respond.ts';
import { readStatement } from './statement.ts';

export interface ClickhouseAppDeps {
  engine: Engine;
  user: string;
  password: string;
  database: string;
  bodyMaxBytes: number;
  logger: Logger;
}

/**
 * ClickHouse's HTTP interface, as far as clients of the lab use it: https://clickhouse.com/docs/interfaces/http
 * Not there: session_id, the native compression of `compress=1`, progress while a query runs, results as a stream.
 */
export function createClickhouseApp(deps: ClickhouseAppDeps): RequestListener {
  return (request, response) => {
    route(deps, request, response).catch((error) => {
      // The client of a connection that broke hears of nothing any more.
      if (!response.socket || response.socket.destroyed) return;
      sendException(deps, response, toException(error));
    });
  };
}

async function route(deps: ClickhouseAppDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const method = request.method ?? '';
  if (['/ping', '/health/live'].includes(pathname)) return answerText(response, 200, 'Ok.\n');
  if (pathname === '/health/ready') {
    await deps.engine.run({ ...emptyQuery(deps.database), statement: readStatement('select 1') });
    return answerText(response, 200, 'Ok.\n');
  }
  if (pathname !== '/') return answerText(response, 404, `There is no handle ${pathname}\n`);
  if (!['GET', 'HEAD', 'POST'].includes(method)) {
    response.setHeader('Allow', 'GET, HEAD, POST');
    return answerText(response, 405, `Method ${method} is not allowed\n`);
  }
  if (method !== 'POST' && !searchParams.has('query')) return answerText(response, 200, 'Ok.\n');
  await answerQuery(deps, request, response);
}

async function answerQuery(deps: ClickhouseAppDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts = readParts(request);
  authenticate(deps, parts);
  const body = await readBody(request, response, deps.bodyMaxBytes);
  // As on a server, the body continues the URL's query: it is a statement, the rest of one, or the rows of an insert.
  const inUrl = parts.query.trim() === '' ? undefined : readStatement(parts.query);
  const statement = inUrl?.takesData || body.length === 0 ? inUrl : readStatement(`${parts.query}\n${body.toString()}`);
  if (!statement) throw new ClickhouseException(codes.syntaxError, 'Empty query. (SYNTAX_ERROR)');
  const format = statement.format ?? parts.format ?? 'TabSeparated';
  response.setHeader('X-ClickHouse-Query-Id', parts.queryId ?? randomUUID());
  const result = await deps.engine.run({
    statement,
    data: inUrl?.takesData ? body : Buffer.alloc(0),
    database: parts.database ?? deps.database,
    settings: parts.settings,
    parameters: parts.parameters,
    readOnly: request.method !== 'POST',
    defaultFormat: parts.format ?? 'TabSeparated',
  });
  response.statusCode = 200;
  response.setHeader('Content-Type', contentType(format));
  response.setHeader('X-ClickHouse-Server-Display-Name', 'lab');
  response.setHeader('X-ClickHouse-Format', format);
  response.setHeader('X-ClickHouse-Timezone', deps.engine.timezone);
  response.setHeader('X-ClickHouse-Summary', summaryOf(result));
  await send(request, response, result.bytes, parts.compressResponse);
}

function emptyQuery(database: string) {
  const none: [string, string][] = [];
  const limits = { readOnly: true, defaultFormat: 'TabSeparated' };
  return { ...limits, database, data: Buffer.alloc(0), settings: none, parameters: none };
}

function authenticate(deps: ClickhouseAppDeps, parts: RequestParts): void {
  if (parts.user === undefined) {
    throw new ClickhouseException(codes.requiredPassword, 'Give user and password. (REQUIRED_PASSWORD)');
  }
  const known = [sameText(parts.user, deps.user), sameText(parts.password ?? '', deps.password)];
  if (known.every(Boolean)) return;
  throw new ClickhouseException(
    codes.authenticationFailed,
    `${parts.user}: Authentication failed: password is incorrect, or there is no user with such name. ` +
      '(AUTHENTICATION_FAILED)',
  );
}

/** Compares hashes, so that the time says nothing about length or content. */
function sameText(given: string, expected: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(expected));
}

function sendException(deps: ClickhouseAppDeps, response: ServerResponse, exception: ClickhouseException): void {
  deps.logger.debug({ code: exception.code, message: exception.message }, 'query refused');
  if (response.headersSent) return void response.destroy();
  if (exception.status === 401) response.setHeader('WWW-Authenticate', 'Basic realm="ClickHouse server HTTP API"');
  response.setHeader('X-ClickHouse-Exception-Code', String(exception.code));
  answerText(response, exception.status, exception.text(deps.engine.version));
}

function answerText(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}
