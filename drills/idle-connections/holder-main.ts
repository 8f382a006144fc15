import { connect, type Socket } from 'node:net';
import { constants, getPriority, setPriority } from 'node:os';

/**
 * `node drills/idle-connections/holder-main.ts PORT COUNT`: holds that many connections to 127.0.0.1 open and sends nothing
 * on half of them, one request and then nothing on the others. One that is closed is opened again. Sends its counts to
 * the parent process every second, and ends with it. It runs at a lower priority: it stands for other machines, whose
 * own work is not the system's. What it makes the system do stays.
 */
export interface HolderCounts {
  open: number;
  /** Connections that the server ended and that were opened again. */
  reopened: number;
  /** Connections that could not be opened, by the system's error code. */
  failures: Record<string, number>;
  cpuSeconds: number;
}

const [port, count] = process.argv.slice(2).map(Number) as [number, number];
const counts: HolderCounts = { open: 0, reopened: 0, failures: {}, cpuSeconds: 0 };
const request = 'GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
/** Between a connection that ended and the next one: at random up to this, so that they do not come in waves. */
const reopenWithinMs = 2_000;
/** The first ones are spread over the time after which the API ends a silent one, so that these ends are a steady load. */
const firstWithinMs = 12_000;

function hold(index: number): void {
  const socket: Socket = connect({ port, host: '127.0.0.1' });
  let wasOpen = false;
  socket.on('connect', () => {
    wasOpen = true;
    counts.open += 1;
    if (index % 2 === 1) socket.write(request);
  });
  socket.on('data', () => undefined);
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (wasOpen) return;
    const code = error.code ?? error.message;
    counts.failures[code] = (counts.failures[code] ?? 0) + 1;
  });
  socket.on('close', () => {
    if (wasOpen) {
      counts.open -= 1;
      counts.reopened += 1;
    }
    setTimeout(() => hold(index), Math.random() * reopenWithinMs);
  });
}

for (let index = 0; index < count; index++) setTimeout(() => hold(index), (index / count) * firstWithinMs);
setPriority(Math.min(getPriority() + 10, constants.priority.PRIORITY_LOW));
setInterval(() => {
  const { user, system } = process.cpuUsage();
  counts.cpuSeconds = (user + system) / 1e6;
  process.send?.(counts);
}, 1_000);
process.on('disconnect', () => process.exit(0));
