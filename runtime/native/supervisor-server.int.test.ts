import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { askSupervisor } from './supervisor-client.ts';
import type { SupervisorRequest } from './supervisor-request.ts';
import { type SupervisorServer, serveRequests } from './supervisor-server.ts';
import { readLine, supervisorSocket } from './supervisor-socket.ts';

let directory: string;
let server: SupervisorServer | undefined;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'lab-request-'));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(directory, { recursive: true });
});

const run = (runDirectory = directory) => ({ id: 'none', runDirectory });

async function serve(handle: (request: SupervisorRequest) => Promise<void>, runDirectory = directory): Promise<void> {
  server = await serveRequests(runDirectory, handle);
}

test('a request is done once, and the client hears of it', async () => {
  const done: SupervisorRequest[] = [];
  await serve(async (request) => void done.push(request));
  await askSupervisor(run(), { type: 'switch_topology', topology: 'partitioned' });
  expect(done).toEqual([{ type: 'switch_topology', topology: 'partitioned' }]);
  expect((await stat(supervisorSocket(directory))).mode & 0o777).toBe(0o600);
  await server!.close();
  expect(await readdir(directory)).toEqual([]);
});

test('the client hears why a request failed, and the next one is served', async () => {
  await serve(async ({ type }) => {
    if (type === 'start_cluster') throw new Error('the port is taken');
  });
  await expect(askSupervisor(run(), { type: 'start_cluster' })).rejects.toThrow(
    'Run none, start_cluster: the port is taken',
  );
  await askSupervisor(run(), { type: 'end_conversion' });
});

test('two requests at once are done one after the other, in their order', async () => {
  const steps: string[] = [];
  let begun = () => {};
  const firstBegan = new Promise<void>((resolve) => {
    begun = resolve;
  });
  await serve(async ({ type }) => {
    steps.push(`${type} begins`);
    begun();
    await delay(50);
    steps.push(`${type} ends`);
  });
  const first = askSupervisor(run(), { type: 'start_cluster' });
  await firstBegan;
  await Promise.all([first, askSupervisor(run(), { type: 'restart_cdc' })]);
  expect(steps).toEqual(['start_cluster begins', 'start_cluster ends', 'restart_cdc begins', 'restart_cdc ends']);
});

test('what the supervisor does not know is refused by name', async () => {
  await serve(async () => {
    throw new Error('must not be called');
  });
  for (const line of ['{"type":"make_coffee"}', '{"type":"switch_topology","topology":"spread"}', 'not JSON']) {
    const socket = createConnection(supervisorSocket(directory));
    socket.write(`${line}\n`);
    expect(JSON.parse((await readLine(socket))!)).toEqual({
      ok: false,
      error: `The supervisor does not know the request ${line}`,
    });
    socket.destroy();
  }
});

test('work that takes long is waited for, up to the limit, and a request that is not begun in time never is', async () => {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const done: string[] = [];
  await serve(async ({ type }) => {
    if (type === 'start_cluster') await released;
    done.push(type);
  });
  const slow = askSupervisor(run(), { type: 'start_cluster' }, 30_000);
  await expect(askSupervisor(run(), { type: 'restart_cdc' }, 200)).rejects.toThrow('no answer within 0.2 s');
  release();
  await slow;
  await askSupervisor(run(), { type: 'end_conversion' });
  expect(done).toEqual(['start_cluster', 'end_conversion']);
});

test('without a supervisor the client does not wait', async () => {
  await expect(askSupervisor(run(), { type: 'start_cluster' })).rejects.toThrow('its supervisor has ended');
});

test('the end of the supervisor while it works ends the wait, and the next one takes its place', async () => {
  const program = `
    import { serveRequests } from ${JSON.stringify(new URL('./supervisor-server.ts', import.meta.url).href)};
    await serveRequests(${JSON.stringify(directory)}, () => process.kill(process.pid, 'SIGKILL'));
    setInterval(() => {}, 60_000);
    process.stdout.write('ready');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  await expect(askSupervisor(run(), { type: 'start_cluster' })).rejects.toThrow('its supervisor has ended');
  // The socket that was left answers no client, and does not stand in the way.
  await expect(askSupervisor(run(), { type: 'start_cluster' })).rejects.toThrow('its supervisor has ended');
  await serve(async () => {});
  await askSupervisor(run(), { type: 'start_cluster' });
});

test('a peer that dies with bytes unread resets the connection, and that is the end of the wait too', async () => {
  const dying = createServer((socket) => {
    // What was written beyond the first chunk is unread: the kernel tells the other side by a reset.
    socket.once('data', () => socket.destroy());
  });
  dying.listen(supervisorSocket(directory));
  await once(dying, 'listening');
  const socket = createConnection(supervisorSocket(directory));
  const failed = once(socket, 'error');
  socket.write('x'.repeat(4_000_000));
  expect(await readLine(socket)).toBeUndefined();
  expect(await failed).toMatchObject([{ code: expect.stringMatching(/^(ECONNRESET|EPIPE)$/) }]);
  dying.close();
});

test('a run directory that lies deep has a socket too', async () => {
  const deep = path.join(directory, 'd'.repeat(80), 'e'.repeat(80));
  await mkdir(deep, { recursive: true });
  await serve(async () => {}, deep);
  await askSupervisor(run(deep), { type: 'restart_cdc' });
  expect(await readdir(deep)).toEqual(['supervisor.sock']);
});
