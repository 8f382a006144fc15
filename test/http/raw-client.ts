import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A client that sends bytes as they stand, also such as no HTTP client would send. */
export interface RawClient {
  socket: Socket;
  /** All that has arrived so far. */
  received(): string;
  /** Resolves when `pattern` has arrived. @throws Error when the connection ends before */
  until(pattern: RegExp): Promise<string>;
  /** Resolves with all that arrived when the server has closed the connection, in one way or another. */
  closed(): Promise<string>;
  /** Resolves when the socket is destroyed: the server has ended both directions. */
  destroyed(): Promise<void>;
}

/** Connects, and keeps its own side open until it is told otherwise. */
export async function rawClient(port: number): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let text = '';
  let ended = false;
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  for (const event of ['end', 'close', 'error']) {
    socket.on(event, () => {
      ended = true;
    });
  }
  const destroyed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  await once(socket, 'connect');
  const look = async (done: () => boolean): Promise<string> => {
    while (!done()) {
      await Promise.race(['data', 'end', 'close'].map((event) => once(socket, event).catch(() => undefined)));
    }
    return text;
  };
  return {
    socket,
    received: () => text,
    until: async (pattern) => {
      await look(() => pattern.test(text) || ended);
      if (!pattern.test(text)) throw new Error(`the connection ended after ${JSON.stringify(text)}`);
      return text;
    },
    closed: () => look(() => ended),
    destroyed: () => destroyed,
  };
}
