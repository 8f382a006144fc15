import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { guardConnections } from './connection-guard.ts';
import type { ErrorCode } from './errors.ts';

export interface HttpServerOptions {
  host: string;
  /** 0 takes a free port. */
  port: number;
  /** Time a client has to send one whole request; slower ones get 408. */
  requestTimeoutMs: number;
  /** Connections at one time, without a limit where absent. One more is closed at once, unread. */
  maxConnections?: number;
  /** Hears of each connection that was closed so. */
  onRefusedConnection?: () => void;
  /** Hears of each connection that was closed because of what its client sent, or did not send in time. */
  onClosedConnection?: (reason: ErrorCode) => void;
}

export interface HttpServer {
  server: Server;
  port: number;
  url: string;
  /** Stops accepting, lets requests in flight finish, then closes idle and, after `timeoutMs`, all connections. */
  close(timeoutMs: number): Promise<void>;
}

/**
 * How often connections are looked for whose request did not arrive in time. All that are found are answered in one
 * go, so that the pause between two looks bounds for how long other requests wait when thousands end together.
 */
const checkEveryMs = 50;

/** Connections that wait to be accepted, within the system's own limit: beyond, clients would try again after 1 s. */
const backlog = 4_096;

/** Listens with limits on connections, slow clients and headers, and answers what Node itself refuses in the lab's envelope. */
export async function listen(app: RequestListener, options: HttpServerOptions): Promise<HttpServer> {
  const server = createServer({
    requestTimeout: options.requestTimeoutMs,
    headersTimeout: options.requestTimeoutMs,
    keepAliveTimeout: 30_000,
    connectionsCheckingInterval: Math.min(checkEveryMs, Math.ceil(options.requestTimeoutMs / 4)),
    maxHeaderSize: 16_384,
    // Node would answer with an empty body; the guard answers in the envelope.
    requireHostHeader: false,
  });
  if (options.maxConnections !== undefined) server.maxConnections = options.maxConnections;
  server.on('drop', () => options.onRefusedConnection?.());
  guardConnections(server, app, options.onClosedConnection);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: options.port, host: options.host, backlog }, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return { server, port, url: `http://${host}:${port}`, close: (timeoutMs) => close(server, timeoutMs) };
}

function close(server: Server, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), timeoutMs);
    // A client that never pauses would keep its connection for ever: it gets one more answer, which ends the
    // connection. Those that fall idle instead are looked for now and then.
    server.prependListener('request', (_request, response) => response.setHeader('connection', 'close'));
    const idle = setInterval(() => server.closeIdleConnections(), 100);
    server.close(() => {
      clearTimeout(force);
      clearInterval(idle);
      resolve();
    });
    server.closeIdleConnections();
  });
}
