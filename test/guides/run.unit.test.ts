import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Step } from './blocks.ts';
import { openGuideShell, runSteps } from './run.ts';

async function run(...steps: Partial<Step>[]): Promise<void> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'guide-'));
  try {
    const none = { commands: '', needs: undefined, duration: undefined, output: [] };
    const whole = steps.map((step, index): Step => ({ ...none, line: index + 1, ...step }));
    await runSteps(await openGuideShell(directory), whole);
  } finally {
    await rm(directory, { recursive: true });
  }
}

test('steps share a shell; the one that fails, or does not print what it promises, is named', async () => {
  await run({ commands: 'a=5' }, { commands: 'echo "a is $a"', output: ['a is 5'] });
  await expect(run({ commands: 'echo one' }, { commands: 'echo two; false' }, {})).rejects.toThrow(
    /^line 2: the commands fail[\s\S]*two/,
  );
  await expect(run({ commands: 'echo one', output: ['two'] })).rejects.toThrow(
    /^line 1: this is promised.*two[\s\S]*one/,
  );
  await expect(run({ commands: 'echo "$undefined"' })).rejects.toThrow('line 1');
});
