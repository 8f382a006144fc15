import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serveFile } from './serve.ts';

let server: Awaited<ReturnType<typeof serveFile>>;
beforeAll(async () => {
  server = await serveFile(fileURLToPath(import.meta.url));
});
afterAll(() => {
  server.close();
});

test.each([
  ['/', '200 OK'],
  ['/?from=mail', '200 OK'],
  ['/other', '404 Not Found'],
  // What scanners send: no URL can be made of it.
  ['//', '404 Not Found'],
])('GET %s is answered with %s', async (target, status) => {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(`GET ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`);
  expect((await text(socket)).split('\r\n', 1)).toEqual([`HTTP/1.1 ${status}`]);
});
