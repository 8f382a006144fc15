import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type RequestListener, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { closeAfter, closeUnlessRead, endConnection, ignoreInput, isEnding } from './end-connection.ts';
import { endWithJson, errorEnvelope, toJson } from './envelope.ts';
import { AppError, type ErrorCode, fieldRefusal } from './errors.ts';
import { hasBody } from './read-bytes.ts';
import { requestIdOf } from './request-id.ts';

/**
 * Passes requests to `app`, and decides what becomes of connections and requests that Node would close without a word,
 * keep for ever, or answer in the middle of another answer. What is refused here is answered in the envelope.
 */
export function guardConnections(server: Server, app: RequestListener, onClosed?: (reason: ErrorCode) => void): void {
  const answers = new WeakMap<Socket, Set<ServerResponse>>();
  const refusals = connectionRefusals();

  const accept = (request: IncomingMessage, response: ServerResponse): void => {
    remember(answers, request.socket, response);
    // The rest of a body that a refusal makes useless is not taken in.
    if (hasBody(request)) closeUnlessRead(response);
    const refusal = protocolError(request);
    if (refusal) sendRefusal(request, response, refusal);
    else app(request, response);
  };
  const refuse = (socket: Socket, refusal: AppError): void => {
    if (isEnding(socket)) return;
    onClosed?.(refusal.code);
    const unfinished = [...(answers.get(socket) ?? [])].filter((answer) => answer.headersSent || answer.req.complete);
    const last = unfinished.at(-1);
    if (last) endAfter(last, socket);
    else endConnection(socket, rawAnswer(refusal));
  };

  server.on('request', accept);
  // The readers of bodies ask for the body themselves, so that a refusal comes instead of it.
  server.on('checkContinue', accept);
  server.on('checkExpectation', accept);
  server.on('connect', (_request, socket) => refuse(socket as Socket, refusals.noProxy));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const connection = socket as Socket;
    if (!connection.writable || error.code === 'ECONNRESET') connection.destroy();
    else refuse(connection, refusals.byCode.get(error.code) ?? refusals.malformed);
  });
  // A client that closes its sending side after a whole request still wants the answer. Not among the declared options:
  // https://github.com/nodejs/node/blob/v24.x/lib/_http_server.js
  Object.assign(server, { httpAllowHalfOpen: true });
}

/** The answers of a connection that are not finished, in the order of their requests. */
function remember(answers: WeakMap<Socket, Set<ServerResponse>>, socket: Socket, response: ServerResponse): void {
  const unfinished = answers.get(socket) ?? new Set();
  answers.set(socket, unfinished.add(response));
  response.once('close', () => unfinished.delete(response));
}

/** Lets an answer that is in progress come to its end, and the connection with it. */
function endAfter(answer: ServerResponse, socket: Socket): void {
  closeAfter(answer);
  ignoreInput(socket);
  answer.once('finish', () => endConnection(socket));
}

function protocolError(request: IncomingMessage): AppError | undefined {
  if (request.httpVersion !== '1.1') return undefined;
  const { host, expect } = request.headers;
  if (host === undefined) return fieldRefusal('invalid_request', 'Host', 'HTTP/1.1 requires this header');
  if (expect !== undefined && !/^100-continue$/i.test(expect)) {
    return fieldRefusal('expectation_failed', 'Expect', 'only 100-continue is understood');
  }
  return undefined;
}

function sendRefusal(request: IncomingMessage, response: ServerResponse, refusal: AppError): void {
  const id = requestIdOf(request);
  response.setHeader('X-Request-ID', id);
  closeAfter(response);
  endWithJson(response, refusal.status, errorEnvelope(refusal, id));
}

/** An answer where there is no request to answer. */
function rawAnswer(refusal: AppError): string {
  const id = randomUUID();
  const body = toJson(errorEnvelope(refusal, id));
  const headers = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-ID: ${id}`,
    'Connection: close',
  ];
  if (refusal.code === 'method_not_allowed') headers.push('Allow: GET, HEAD, POST');
  return `${headers.join('\r\n')}\r\n\r\n${body}`;
}

/** Made once and not for each connection: the stack of an error costs as much as the rest of a refusal. */
function connectionRefusals() {
  return {
    noProxy: new AppError('method_not_allowed', 'CONNECT is not served: this is no proxy.'),
    malformed: new AppError('malformed_body', 'The request is not valid HTTP/1.1.'),
    /** By the code of Node's error. */
    byCode: new Map<string | undefined, AppError>([
      ['ERR_HTTP_REQUEST_TIMEOUT', new AppError('request_timeout', 'The request did not arrive in time.')],
      ['HPE_HEADER_OVERFLOW', new AppError('headers_too_large', 'The headers are too large.')],
      [
        'HPE_CHUNK_EXTENSIONS_OVERFLOW',
        new AppError('payload_too_large', 'The extensions of the chunks are too large.'),
      ],
    ]),
  };
}
