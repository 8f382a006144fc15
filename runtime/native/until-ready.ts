import { waitUntil } from '../../kernel/wait.ts';
import type { Child, StopStep } from './child.ts';
import { logTail } from './log-tail.ts';

export interface ReadyOptions {
  /** As people know it, as in `pgbouncer 1.18.0`. */
  name: string;
  logFile: string;
  timeoutMs: number;
  intervalMs?: number;
  /** Whether it serves. Asked again and again. */
  ready: () => boolean | Promise<boolean>;
  /** What was amiss at the last look; for the error. */
  lastAnswer?: () => string;
  /** Ends what did not become ready. */
  stopSteps: readonly StopStep[];
  signal?: AbortSignal | undefined;
}

/**
 * Waits until a program that was started is ready. What does not get there is ended.
 * @throws Error with the end of its log; the signal's reason when that came first.
 */
export async function untilReady(child: Child, options: ReadyOptions): Promise<Child> {
  const { name, logFile, timeoutMs, intervalMs = 50, ready, lastAnswer, stopSteps, signal } = options;
  const settled = async () => child.ended !== undefined || (await ready());
  try {
    const inTime = await waitUntil(settled, { timeoutMs, intervalMs, signal });
    if (inTime && child.ended === undefined) return child;
  } catch (error) {
    await child.stop(stopSteps);
    throw error;
  }
  const answer = lastAnswer ? ` (${lastAnswer()})` : '';
  const reason = child.ended ?? `not ready after ${timeoutMs} ms${answer}`;
  await child.stop(stopSteps);
  throw new Error(`${name} did not start: ${reason}\nEnd of its log:\n${await logTail(logFile, 25)}`);
}

/**
 * Waits for a program that does one thing and ends.
 * @throws Error with the end of its log when it fails or takes more than a minute; it is killed then.
 */
export async function untilDone(child: Child, failure: string, logFile: string): Promise<void> {
  await waitUntil(() => child.ended !== undefined, { timeoutMs: 60_000 });
  if (child.ended === 'exit status 0') return;
  child.kill('SIGKILL');
  throw new Error(`${failure} (${child.ended ?? 'no end after 60 s'}):\n${await logTail(logFile)}`);
}
