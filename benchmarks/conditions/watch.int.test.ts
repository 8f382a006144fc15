import { execFile, spawn } from 'node:child_process';
import os from 'node:os';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { sampleTree } from '../measure/process-cpu.ts';
import { watchTurn } from './watch.ts';

const run = promisify(execFile);
const burn = 'for (;;);';

/** A process that takes a core and that no process of the lab has started: its parent has ended. */
async function startHog(): Promise<number> {
  const { stdout } = await run('/bin/sh', ['-c', '"$0" -e "$1" >/dev/null 2>&1 & echo $!', process.execPath, burn]);
  return Number(stdout);
}

// Elsewhere the platform does not tell the two apart as exactly.
test.skipIf(process.platform !== 'linux')(
  'a CPU hog counts as outside of the lab, a child of the lab does not (needs Linux)',
  async () => {
    const end = await watchTurn({ processes: () => ({}), directory: os.tmpdir() });
    const own = spawn(process.execPath, ['-e', burn], { stdio: 'ignore' });
    const hog = await startHog();
    try {
      await expect.poll(() => sampleTree([hog]), { interval: 50 }).toBeGreaterThan(1);
      const ownSeconds = await sampleTree([own.pid!]);
      const conditions = await end();
      // Ticks of a hundredth of a second, and what was used before the end was sampled.
      expect(conditions.outsideCores! * conditions.durationS).toBeGreaterThan(0.9);
      expect(conditions.labCores * conditions.durationS).toBeGreaterThan(ownSeconds - 0.05);
      expect(conditions.spinMs.before).toBeGreaterThan(0);
      expect(conditions.syncMs.after).toBeGreaterThan(0);
      expect(Math.abs(conditions.clockStepMs)).toBeLessThan(500);
    } finally {
      own.kill('SIGKILL');
      process.kill(hog, 'SIGKILL');
    }
  },
);
