import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Time in milliseconds and bytes for which a client may go on sending after the last answer of its connection. */
const lingerMs = 500;
const lingerBytes = 65_536;

const ending = new WeakSet<Socket>();

/** Whether `endConnection` has taken over. */
export function isEnding(socket: Socket): boolean {
  return ending.has(socket);
}

/**
 * Writes `lastText`, closes this side, and destroys the socket when the client has closed its own side or its time is
 * over. Destroying at once would reset a connection on which the client still sends, and it might never see the answer;
 * waiting for the client alone would let it hold the connection for as long as it likes.
 */
export function endConnection(socket: Socket, lastText = ''): void {
  if (ending.has(socket)) return;
  ending.add(socket);
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
  ignoreInput(socket);
  socket.end(lastText);
}

/** Nothing that arrives from now on is parsed as a request: it is dropped and, above a limit, not even read. */
export function ignoreInput(socket: Socket): void {
  // The HTTP server's own listener; it steps back from the socket when another one is added.
  socket.removeAllListeners('data');
  let left = lingerBytes;
  socket.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) socket.pause();
  });
  socket.resume();
}

/** Makes the answer the last one of its connection, and says so in its header where that has not left. */
export function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close');
  response.req.socket.destroySoon = endInstead;
}

/** As `closeAfter`, unless the request is wholly read before it is answered. */
export function closeUnlessRead(response: ServerResponse): void {
  const keepAlive = response.shouldKeepAlive;
  response.shouldKeepAlive = false;
  response.req.once('end', () => {
    response.shouldKeepAlive = keepAlive;
  });
  response.req.socket.destroySoon = endInstead;
}

/** In place of `destroySoon`, which Node calls after a last answer: it would destroy the socket at once. */
function endInstead(this: Socket): void {
  endConnection(this);
}
