import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { defaultTopology } from '../../kernel/topology.ts';
import { freePort } from '../../runtime/native/free-port.ts';
import { startSystem } from '../../runtime/native/system.ts';
import { print, progress } from '../output.ts';

/** Serves the report and keeps one system running, until Ctrl-C. */
export async function serveUntilStopped(report: string): Promise<void> {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop.abort());
  const server = await serveFile(report);
  try {
    progress('\nstarting a live system …');
    const system = await startSystem({
      topology: defaultTopology,
      wellKnownPorts: true,
      restarts: true,
      progress,
      signal: stop.signal,
    });
    try {
      const { port } = server.address() as { port: number };
      print(`
report   http://127.0.0.1:${port}/
API      ${system.urls.api}/docs   (topology ${defaultTopology})

In another terminal:
  npx lab send                  10,000 signed webhooks
  npx lab audit                 was any of them lost, doubled or reordered?
  npx lab status                rates and lag

Ctrl-C stops everything.`);
      if (!stop.signal.aborted) await once(stop.signal, 'abort');
      progress('\nstopping');
    } finally {
      await system.stop();
    }
  } catch (error) {
    // Ctrl-C during the start is a wish, not a failure.
    if (!stop.signal.aborted) throw error;
  } finally {
    server.closeAllConnections();
    server.close();
  }
  progress('stopped, nothing is left');
}

/** One file at `/`, on a port that is free. */
export async function serveFile(file: string): Promise<Server> {
  const server = createServer((request, response) => {
    // Parsed by hand: `new URL` throws at what some programs ask for, and no caller would catch it here.
    if (request.method !== 'GET' || request.url?.split('?')[0] !== '/') {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    createReadStream(file).pipe(response);
  });
  server.listen(await freePort(), '127.0.0.1');
  await once(server, 'listening');
  return server;
}
