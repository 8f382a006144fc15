import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { isAlive, listProcesses, parseProcessList, processIdentity } from './processes.ts';

test('the output of ps is read line by line, blanks in commands included', () => {
  expect(parseProcessList('  1 /sbin/init  splash\n 4711 node a b\n\n')).toEqual([
    { pid: 1, command: '/sbin/init  splash' },
    { pid: 4711, command: 'node a b' },
  ]);
});

test('a child is listed and alive until it ends', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'marker-of-this-test']);
  await once(child, 'spawn');
  const identity = await processIdentity(child.pid!);
  expect(await isAlive(child.pid!)).toBe(true);
  expect(identity).toBe(await processIdentity(child.pid!));
  const listed = await listProcesses();
  expect(listed.find(({ pid }) => pid === child.pid)?.command).toContain('marker-of-this-test');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await isAlive(child.pid!)).toBe(false);
});
