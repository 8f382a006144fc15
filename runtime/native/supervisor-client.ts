import { createConnection, type Socket } from 'node:net';
import type { SystemDescription } from '../system-description.ts';
import { describeRequest, type SupervisorRequest, supervisorAnswerSchema } from './supervisor-request.ts';
import { readLine, supervisorSocket, withSocketPath } from './supervisor-socket.ts';

const gone = 'its supervisor has ended';

/**
 * Asks the supervisor of a run for something and waits until it is done.
 * @throws Error with the reason when it fails or is not done in time, and at once when the supervisor has ended.
 */
export async function askSupervisor(
  run: Pick<SystemDescription, 'id' | 'runDirectory'>,
  request: SupervisorRequest,
  timeoutMs = 60_000,
): Promise<void> {
  const failure = await ask(run.runDirectory, request, timeoutMs);
  if (failure !== undefined) throw new Error(`Run ${run.id}, ${describeRequest(request)}: ${failure}`);
}

/** @returns why it was not done; undefined when it was. */
async function ask(runDirectory: string, request: SupervisorRequest, timeoutMs: number): Promise<string | undefined> {
  const socket = await withSocketPath(supervisorSocket(runDirectory), connectTo).catch(() => undefined);
  if (!socket) return gone;
  let isLate = false;
  const limit = setTimeout(() => {
    isLate = true;
    socket.destroy();
  }, timeoutMs);
  try {
    socket.write(`${JSON.stringify(request)}\n`);
    const line = await readLine(socket);
    if (line === undefined) return isLate ? `no answer within ${timeoutMs / 1_000} s` : gone;
    const answer = supervisorAnswerSchema.parse(JSON.parse(line));
    return answer.ok ? undefined : answer.error;
  } finally {
    clearTimeout(limit);
    socket.destroy();
  }
}

function connectTo(file: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(file);
    socket.once('connect', () => resolve(socket));
    // Also once it is connected: the end of the other side is noticed by the end of what it sends.
    socket.on('error', reject);
  });
}
