import { Listr, ListrLogger, ProcessOutput } from 'listr2';
import type { Step } from '../../benchmarks/runner/run.ts';
import { progress } from '../output.ts';

/**
 * Runs the steps one after the other and shows where it is: with spinners in a terminal, as plain lines with the time
 * since the start elsewhere. Everything goes to stderr, so that stdout holds the result alone.
 * @throws whatever a step throws.
 */
export async function runSteps(steps: readonly Step[], terminal = process.stderr.isTTY): Promise<void> {
  if (terminal) await showSpinners(steps);
  else await printLines(steps);
}

async function showSpinners(steps: readonly Step[]): Promise<void> {
  const logger = new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stderr) });
  const list = new Listr(
    steps.map(({ title, run }) => ({
      title,
      task: (_context, task) =>
        run((line) => {
          task.output = line;
        }),
      rendererOptions: { outputBar: 1, persistentOutput: true },
    })),
    { renderer: 'default', rendererOptions: { logger }, registerSignalListeners: false },
  );
  await list.run();
}

async function printLines(steps: readonly Step[]): Promise<void> {
  const startedAt = performance.now();
  const say = (line: string) => {
    const seconds = Math.floor((performance.now() - startedAt) / 1e3);
    const time = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
    progress(`${time}  ${line}`);
  };
  for (const { title, run } of steps) {
    say(title);
    // Lines that only say what has begun are for a display that replaces them.
    await run((line) => line.endsWith('…') || say(`      ${line}`));
  }
}
