import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { listProcesses, type ProcessEntry, sendSignal } from './processes.ts';

/**
 * Ends every process of a run and removes its directory. Safe to call at any time, several times and from several
 * processes at once. It needs no record of what was started: each of our processes names the run directory in its
 * command line, so a supervisor that was killed halfway through a start leaves nothing unknown.
 * @throws Error when a process outlives SIGKILL (it hangs in the kernel or belongs to another user).
 */
export async function removeRun(directory: string): Promise<void> {
  // The second look catches what was being started, and not yet visible, at the first.
  let emptyLooks = 0;
  for (let look = 0; emptyLooks < 2; look += 1) {
    const remaining = (await listProcesses()).filter((entry) => belongsTo(directory, entry.command));
    emptyLooks = remaining.length === 0 ? emptyLooks + 1 : 0;
    if (look > 200) throw new Error(`Processes of ${directory} don't end: ${remaining.map(({ pid }) => pid)}`);
    if (look === 0) for (const entry of remaining) end(entry);
    else if (look > 30) for (const { pid } of remaining) sendSignal(pid, 'SIGKILL');
    else if (emptyLooks === 0) for (const entry of remaining) if (!isPostgres(entry)) end(entry);
    if (emptyLooks < 2) await delay(remaining.length === 0 ? 30 : 100);
  }
  await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

/** Whether a command line is one that the lab started for this run, and not, say, an editor with its log open. */
export function belongsTo(directory: string, command: string): boolean {
  return (
    `${command} `.includes(`--run-directory=${directory} `) ||
    command.includes(` -D ${directory}${path.sep}`) ||
    command.endsWith(`pgbouncer ${path.join(directory, 'pgbouncer', 'pgbouncer.ini')}`) ||
    // Prometheus and exporters name their files.
    command.includes(` --config.file=${directory}${path.sep}`) ||
    command.includes(` --extend.query-path=${directory}${path.sep}`) ||
    command.startsWith(`postgres: ${path.basename(directory)}-`)
  );
}

function isPostgres({ command }: ProcessEntry): boolean {
  return command.startsWith('postgres: ') || command.includes(' -D ');
}

/**
 * PostgreSQL's main process gets the chance to end its children and give its shared memory back; the children end
 * with it. What was stopped (SIGSTOP) has to run to notice.
 */
function end(entry: ProcessEntry): void {
  const isChild = entry.command.startsWith('postgres: ');
  sendSignal(entry.pid, isPostgres(entry) ? 'SIGQUIT' : 'SIGKILL');
  if (!isChild) sendSignal(entry.pid, 'SIGCONT');
}
