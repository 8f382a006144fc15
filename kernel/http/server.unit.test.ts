import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { listen } from './server.ts';

test('a server that closes ends the connections of a client that never pauses', async () => {
  let requests = 0;
  const http = await listen(
    (_request, response) => {
      requests += 1;
      // Of different lengths, so that the connections are not idle all at once.
      setTimeout(() => response.end('ok'), 5 + (requests % 4) * 6);
    },
    { host: '127.0.0.1', port: 0, requestTimeoutMs: 1_000 },
  );
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const answers: number[] = [];
  const errors: unknown[] = [];
  const ask = () =>
    new Promise<boolean>((resolve) => {
      const sent = request(http.url, { agent }, (response) => {
        answers.push(response.statusCode!);
        response.resume().on('end', () => resolve(true));
      });
      sent.on('error', (error) => {
        errors.push((error as NodeJS.ErrnoException).code);
        resolve(false);
      });
      sent.end();
    });
  const clients = Array.from({ length: 4 }, async () => {
    while (await ask()) {
      // The next request goes out at once, on the same connection.
    }
  });
  while (answers.length < 50) await ask();
  await http.close(30_000);
  await Promise.all(clients);
  agent.destroy();
  expect(new Set(answers)).toEqual(new Set([200]));
  // A connection that was idle for that instant is reset, and nothing listens any more for a new one.
  expect(errors).toHaveLength(4);
  for (const code of errors) expect(code).toMatch(/^ECONN(REFUSED|RESET)$/);
});

test('one connection more than the limit is closed, the others go on', async () => {
  let refused = 0;
  const http = await listen((_request, response) => response.end('ok'), {
    host: '127.0.0.1',
    port: 0,
    requestTimeoutMs: 10_000,
    maxConnections: 2,
    onRefusedConnection: () => refused++,
  });
  const open = async () => {
    const socket = connect(http.port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  };
  const first = await open();
  const second = await open();
  const third = await open();
  third.on('error', () => undefined);
  await once(third, 'close');
  for (const socket of [first, second]) {
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /);
  }
  expect(refused).toBe(1);
  await http.close(1_000);
});

test('late requests are looked for in short steps, so that those which end together are few at a time', async () => {
  const intervalOf = async (requestTimeoutMs: number) => {
    const http = await listen(() => {}, { host: '127.0.0.1', port: 0, requestTimeoutMs });
    await http.close(0);
    return (http.server as unknown as { connectionsCheckingInterval: number }).connectionsCheckingInterval;
  };
  expect(await intervalOf(10_000)).toBe(50);
  expect(await intervalOf(100)).toBe(25);
});
