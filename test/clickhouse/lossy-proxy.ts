import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface LossyProxy {
  /** Of the proxy, with the credentials and the database of what is behind it. */
  url: string;
  /** Answers to inserts that never came through. */
  readonly lost: number;
  close(): Promise<void>;
}

/**
 * Stands before ClickHouse and loses its first answers to inserts: ClickHouse has stored the rows by then, and the
 * client cannot know. Everything else passes.
 * @param fault `breaking` ends the connection; `silence` keeps it, until the client's time limit is over.
 */
export async function startLossyProxy(
  target: string,
  fault: { loses: number; by: 'breaking' | 'silence' },
): Promise<LossyProxy> {
  const { hostname, port, username, password, pathname } = new URL(target);
  let lost = 0;
  const server = createServer((incoming, outgoing) => {
    const { method, headers, url } = incoming;
    const onward = request({ host: hostname, port, method: method!, headers, path: url! });
    onward.on('error', () => incoming.socket.destroy());
    onward.on('response', (answer) => {
      if (lost < fault.loses && url?.includes('insert_deduplication_token')) {
        lost += 1;
        answer.resume();
        if (fault.by === 'breaking') answer.on('end', () => incoming.socket.destroy());
        return;
      }
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const own = (server.address() as AddressInfo).port;
  return {
    url: `http://${username}:${password}@127.0.0.1:${own}${pathname}`,
    get lost() {
      return lost;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
