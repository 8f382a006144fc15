import { rm } from 'node:fs/promises';
import { waitUntil } from '../../kernel/wait.ts';
import type { SystemDescription } from '../system-description.ts';
import { exists } from './exists.ts';
import { removeRun } from './leftovers.ts';
import { isAlive, sendSignal } from './processes.ts';

/**
 * Stops a run of another process: asks its supervisor, and does the work itself when that does not answer in time.
 * Resolves when neither process nor directory is left.
 */
export async function stopRun(run: SystemDescription, timeoutMs = 30_000): Promise<void> {
  if (run.compose) {
    const { composeDown } = await import('../docker/compose.ts');
    await composeDown(run.compose);
    await rm(run.runDirectory, { recursive: true, force: true });
    return;
  }
  // A supervisor that is stopped (SIGSTOP) can't hear us before it runs again.
  for (const signal of ['SIGTERM', 'SIGCONT'] as const) sendSignal(run.supervisorPid, signal);
  const gone = async () => !(await exists(run.runDirectory)) && !(await isAlive(run.supervisorPid));
  if (await waitUntil(gone, { timeoutMs })) return;
  sendSignal(run.supervisorPid, 'SIGKILL');
  await removeRun(run.runDirectory);
}
