import { chmod, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { parseRequest, type SupervisorAnswer, type SupervisorRequest } from './supervisor-request.ts';
import { readLine, supervisorSocket, withSocketPath } from './supervisor-socket.ts';

export interface SupervisorServer {
  /** Takes no further request, and waits for none that is under way. */
  close(): Promise<void>;
}

/**
 * Takes requests for a run, one at a time in the order in which they come.
 * @param handle What it throws is the answer. A request whose client has gone before its turn is not begun.
 */
export async function serveRequests(
  runDirectory: string,
  handle: (request: SupervisorRequest) => Promise<void>,
): Promise<SupervisorServer> {
  const file = supervisorSocket(runDirectory);
  // What a supervisor that was killed has left: nothing listens there any more.
  await rm(file, { force: true });
  let queue: Promise<void> = Promise.resolve();
  const server = createServer((socket) => {
    // A client that goes while it waits is no failure of ours.
    socket.on('error', () => {});
    void readLine(socket).then((line) => {
      if (line === undefined) return;
      queue = queue.then(() => answer(socket, line, handle));
    });
  });
  await withSocketPath(file, (shortFile) => listenOn(server, shortFile));
  await chmod(file, 0o600);
  // The socket alone keeps no program alive that is otherwise done.
  server.unref();
  return {
    close: async () => {
      server.close();
      await rm(file, { force: true });
    },
  };
}

async function answer(
  socket: Socket,
  line: string,
  handle: (request: SupervisorRequest) => Promise<void>,
): Promise<void> {
  if (socket.destroyed) return;
  const result: SupervisorAnswer = await Promise.resolve()
    .then(() => handle(parseRequest(line)))
    .then(
      () => ({ ok: true }) as const,
      (error) => ({ ok: false, error: error instanceof Error ? error.message : String(error) }) as const,
    );
  if (!socket.destroyed) socket.end(`${JSON.stringify(result)}\n`);
}

function listenOn(server: Server, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(file, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
