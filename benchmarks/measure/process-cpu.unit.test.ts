import { expect, test } from 'vitest';
import { parsePs, parseStat, sampleCpu } from './process-cpu.ts';

test('reads the times of a process whose name holds blanks and brackets', () => {
  const times = '0 0 0 0 0 0 0 0 0';
  const line = `42 (a (b) c) S 7 ${times} 150 50 25 75 20 0 1 0 12345`;
  expect(parseStat(42, line)).toEqual({ pid: 42, parentPid: 7, cpuSeconds: 3 });
  expect(parseStat(42, '')).toBeUndefined();
});

test('reads times as ps prints them on macOS and on Linux', () => {
  const text = '    1     0   0:01.50\n   20     1 01:02:03\n   21     1 2-00:00:01\nnonsense\n';
  expect(parsePs(text)).toEqual([
    { pid: 1, parentPid: 0, cpuSeconds: 1.5 },
    { pid: 20, parentPid: 1, cpuSeconds: 3_723 },
    { pid: 21, parentPid: 1, cpuSeconds: 172_801 },
  ]);
});

test('the CPU time of this process grows with its work', async () => {
  const roots = { self: process.pid, noProcess: 2 ** 22 + 1 };
  const before = await sampleCpu(roots);
  const cpuBefore = process.cpuUsage();
  // Asking is a system call and dearer than the work: now and then is enough.
  while (microseconds(process.cpuUsage(cpuBefore)) < 150_000) for (let i = 0; i < 1e5; i += 1) Math.sqrt(Math.random());
  const after = await sampleCpu(roots);
  expect(after.self! - before.self!).toBeGreaterThan(0.1);
  expect(after.noProcess).toBe(0);
});

function microseconds({ user, system }: NodeJS.CpuUsage): number {
  return user + system;
}
