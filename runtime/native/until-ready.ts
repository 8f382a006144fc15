import { waitUntil } from '../../kernel/wait.ts';
import type { Child, StopStep } from './child.ts';
import { freePort } from './free-port.ts';
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
    const inTime = await waitUntil(settled, { timeoutMs, intervalMs, ...(signal && { signal }) });
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
 * Starts something on `wanted`, else on a free port: on another one when somebody takes it before the program does,
 * which its error tells by `portTaken`.
 */
export async function startOnPort(
  wanted: number | undefined,
  portTaken: RegExp,
  start: (port: number) => Promise<Child>,
): Promise<{ port: number; child: Child }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = wanted ?? (await freePort());
    try {
      return { port, child: await start(port) };
    } catch (error) {
      if (wanted !== undefined || attempt === 5 || !portTaken.test(String(error))) throw error;
    }
  }
}
