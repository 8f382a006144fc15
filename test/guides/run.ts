import { execFile } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { missingLine, type Step } from './blocks.ts';

const root = path.resolve(import.meta.dirname, '../..');

export interface GuideShell {
  /** Where systems, scratch files and the shell's own programs lie. */
  directory: string;
  environment: Record<string, string>;
}

/**
 * A shell as a reader has it in a checkout, but that `npx lab` goes straight to the program that npm would look up,
 * which takes a second less.
 */
export async function openGuideShell(directory: string): Promise<GuideShell> {
  const programs = path.join(directory, 'bin');
  await mkdir(programs);
  const npx = `#!/bin/sh\n[ "$1" = lab ] || exec /usr/bin/npx "$@"\nshift\nexec "${process.execPath}" "${root}/lab/bin.js" "$@"\n`;
  await writeFile(path.join(programs, 'npx'), npx);
  await chmod(path.join(programs, 'npx'), 0o755);
  const node = path.dirname(process.execPath);
  return {
    directory,
    environment: {
      PATH: [programs, node, '/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'].join(':'),
      HOME: directory,
      LAB_HOME: directory,
      ROOT: root,
    },
  };
}

/** Runs the steps one after the other in one shell, as a reader does. @throws Error that names the step that fails. */
export async function runSteps(shell: GuideShell, steps: readonly Step[]): Promise<void> {
  const separator = '\x1e';
  const script = steps.map(({ commands }) => `printf '${separator}\\n'\n${commands}`).join('\n');
  const prelude = 'set -euo pipefail\nexec 2>&1 </dev/null\ncd "$ROOT"\n';
  const { failed, stdout } = await promisify(execFile)('bash', ['-c', prelude + script], {
    env: shell.environment,
    maxBuffer: 1 << 26,
  }).then(
    (ended) => ({ failed: false, stdout: ended.stdout }),
    (error) => ({ failed: true, stdout: String(error.stdout) }),
  );
  const outputs = stdout.split(`${separator}\n`).slice(1);
  for (const [index, step] of steps.entries()) {
    const printed = outputs[index] ?? '';
    const describe = (what: string) => `line ${step.line}: ${what}\n${step.commands}\nIt printed:\n${printed}`;
    if (failed && index === outputs.length - 1) throw new Error(describe('the commands fail.'));
    const missing = missingLine(step.output, printed);
    if (missing !== undefined) throw new Error(describe(`this is promised and not printed: ${missing}`));
  }
}
