import { once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { type RawClient, rawClient } from '../../test/http/raw-client.ts';
import type { AppError } from './errors.ts';
import { readBytes } from './read-bytes.ts';
import { type HttpServer, type HttpServerOptions, listen } from './server.ts';

const maxBytes = 1_000;
const ok = 'HTTP/1.1 200 OK';
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).reverse()) await cleanUp();
});

async function serve(app: RequestListener, options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  const http = await listen(app, { host: '127.0.0.1', port: 0, requestTimeoutMs: 10_000, ...options });
  cleanups.push(() => http.close(0));
  return http;
}

async function open(http: HttpServer, text = ''): Promise<RawClient> {
  const client = await rawClient(http.port);
  cleanups.push(() => client.socket.destroy());
  client.socket.write(text);
  return client;
}

/** Answers with the size of the body, or with the status of its refusal. */
const echoSize: RequestListener = (request, response) => {
  readBytes(request, response, maxBytes).then(
    (bytes) => response.end(`${bytes.length} bytes`),
    (error: AppError) => {
      response.statusCode = error.status;
      response.end(error.code);
    },
  );
};

/** An app that keeps each answer until the test gives it. */
function heldAnswers() {
  const held: ServerResponse[] = [];
  let arrived = () => {};
  const app = (request: IncomingMessage, response: ServerResponse): void => {
    request.resume();
    held.push(response);
    arrived();
  };
  const next = async (count: number): Promise<ServerResponse> => {
    while (held.length < count) await new Promise<void>((resolve) => (arrived = resolve));
    return held[count - 1]!;
  };
  return { app, next };
}

const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const post = (headers: string, body = '') => `POST / HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n${body}`;
const countOf = (text: string, part: string): number => text.split(part).length - 1;

function envelopeIn(answer: string): unknown {
  return JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));
}

describe('silent clients', () => {
  test('that hold every connection lose them when their time is over, and others are served', async () => {
    const reasons: string[] = [];
    const http = await serve((_request, response) => response.end('ok'), {
      requestTimeoutMs: 200,
      maxConnections: 4,
      onClosedConnection: (reason) => reasons.push(reason),
    });
    // They never close their side, so that only the server can end the connections.
    const silent = await Promise.all(Array.from({ length: 4 }, () => open(http)));
    for (const client of silent) await client.until(/^HTTP\/1\.1 408 .*"code":"request_timeout"/s);
    await expect
      .poll(async () => (await fetch(http.url).catch(() => undefined))?.status, { timeout: 10_000 })
      .toBe(200);
    expect(reasons).toEqual(Array(4).fill('request_timeout'));
  });

  test('that dribble a request do too', async () => {
    const http = await serve(echoSize, { requestTimeoutMs: 200 });
    const client = await open(http, post('Content-Length: 900'));
    const dribble = setInterval(() => client.socket.write('x'), 20);
    await client.destroyed();
    clearInterval(dribble);
    expect(client.received()).toMatch(/^HTTP\/1\.1 408 /);
  });
});

describe('an answer in progress', () => {
  test('is not interrupted by a refusal of what comes after its request', async () => {
    const { app, next } = heldAnswers();
    const http = await serve(app);
    const client = await open(http, get);
    const answer = await next(1);
    answer.write('first ');
    await client.until(/first/);
    client.socket.write('no HTTP at all\r\n\r\n');
    await once(http.server, 'clientError');
    answer.end('last');
    expect(await client.closed()).toMatch(/first .*last\r\n0\r\n\r\n$/s);
    expect(countOf(client.received(), 'HTTP/1.1')).toBe(1);
  });

  test('is given though it has not begun when what follows is refused', async () => {
    const { app, next } = heldAnswers();
    const http = await serve(app);
    const refused = once(http.server, 'clientError');
    const client = await open(http, `${post('Content-Length: 2', '{}')}no HTTP at all\r\n\r\n`);
    const answer = await next(1);
    await refused;
    answer.statusCode = 202;
    answer.end('stored');
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 202 .*connection: close.*stored$/is);
    expect(countOf(client.received(), 'HTTP/1.1')).toBe(1);
  });

  test('is not interrupted when the rest of its own request is late', async () => {
    const { app, next } = heldAnswers();
    const http = await serve(app, { requestTimeoutMs: 200 });
    const client = await open(http, post('Content-Length: 10', 'abc'));
    const answer = await next(1);
    answer.write('first ');
    await once(http.server, 'clientError');
    answer.end('last');
    expect(await client.closed()).toMatch(/first .*last\r\n0\r\n\r\n$/s);
    expect(countOf(client.received(), 'HTTP/1.1')).toBe(1);
  });

  test('comes before the connection ends over a second request that is late', async () => {
    const { app, next } = heldAnswers();
    const http = await serve(app, { requestTimeoutMs: 200 });
    const client = await open(http, get + post('Content-Length: 10', 'abc'));
    const answer = await next(1);
    await once(http.server, 'clientError');
    answer.end('first');
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 200 .*first$/s);
  });

  test('reaches a client that has closed its sending side', async () => {
    const { app, next } = heldAnswers();
    const http = await serve(app);
    const client = await open(http);
    client.socket.end(post('Content-Length: 2', '{}'));
    const answer = await next(1);
    await expect.poll(() => answer.req.socket.readableEnded).toBe(true);
    answer.statusCode = 202;
    answer.end('stored');
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 202 .*stored$/s);
  });
});

describe('requests that Node would refuse without a word', () => {
  test.each([
    ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400, 'invalid_request'],
    ['an expectation that is unknown', post('Expect: x\r\nContent-Length: 2', '{}'), 417, 'expectation_failed'],
    ['CONNECT', 'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n', 405, 'method_not_allowed'],
    ['HTTP/2 without asking', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'malformed_body'],
    [
      'headers that are too large',
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
    ['a request that breaks off', null, 400, 'malformed_body'],
  ])('%s: the envelope', async (_name, text, status, code) => {
    const http = await serve(echoSize);
    const client = await open(http, text ?? '');
    if (text === null) client.socket.end(post('Content-Length: 10', 'abc'));
    const answer = await client.closed();
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
    const id = /\r\nx-request-id: (\S+)\r\n/i.exec(answer)![1];
    expect(envelopeIn(answer)).toMatchObject({ object: 'error', success: false, error: { code }, trace_id: id });
    if (status === 405) expect(answer).toContain('\r\nAllow: GET, HEAD, POST\r\n');
  });

  test('HTTP/1.0 needs no Host', async () => {
    const client = await open(await serve(echoSize), 'GET / HTTP/1.0\r\n\r\n');
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('an upgrade to something unknown is answered as if it were not asked for', async () => {
    const upgrade = post('Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 2', '{}');
    const client = await open(await serve(echoSize), upgrade);
    expect(await client.until(/bytes/)).toMatch(/^HTTP\/1\.1 200 .*2 bytes$/s);
  });
});

describe('bodies over the limit', () => {
  test('are refused by their declared length, before any of them was sent', async () => {
    const client = await open(await serve(echoSize), post('Content-Length: 1001'));
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 413 .*payload_too_large$/s);
  });

  test('are not asked for with 100 Continue', async () => {
    const client = await open(await serve(echoSize), post('Expect: 100-continue\r\nContent-Length: 1001'));
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 413 .*connection: close.*payload_too_large$/is);
  });

  test('are refused as soon as the chunks pass the limit, and the rest is not read', async () => {
    const client = await open(await serve(echoSize), post('Transfer-Encoding: chunked'));
    let sent = 0;
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    const send = (): void => {
      while (!client.socket.destroyed && client.socket.write(chunk)) sent += chunk.length;
    };
    client.socket.on('drain', send);
    send();
    const answer = await client.until(/payload_too_large/);
    expect(answer).toMatch(/^HTTP\/1\.1 413 .*connection: close/is);
    await client.destroyed();
    // What fits into the buffers of both sides was sent, and hardly more.
    expect(sent).toBeLessThan(32 * 1024 * 1024);
  });

  test('are not meant by a request that is within it: 100 Continue, and the connection goes on', async () => {
    const client = await open(await serve(echoSize), post('Expect: 100-continue\r\nContent-Length: 3'));
    expect(await client.until(/\r\n\r\n/)).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    client.socket.write('abc');
    expect(await client.until(/bytes/)).toMatch(/3 bytes$/);
    client.socket.write(get);
    expect(await client.until(/0 bytes/)).toContain(ok);
  });

  test('end the connection of a handler that does not look at them', async () => {
    const http = await serve((_request, response) => response.writeHead(404).end());
    const client = await open(http, post('Content-Length: 100000000', 'x'));
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 404 .*connection: close/is);
  });
});
