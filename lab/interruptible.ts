import { progress } from './output.ts';

export interface Interruption {
  /** Signals that end the work in order; the others end the process as ever. */
  signals?: readonly NodeJS.Signals[];
  /** What the command says then. */
  message?: string;
}

const allSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs work so that Ctrl-C ends it in order: what it has started is stopped and removed. A second Ctrl-C ends the
 * process at once, and the guards of its runs clean up.
 * @throws Error with the message when the work has failed because of that.
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { signals = allSignals, message }: Interruption = {},
): Promise<T> {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    progress('stopping');
    stop.abort(new Error(message ?? `stopped by ${name}`));
  };
  for (const name of signals) process.once(name, onSignal);
  try {
    return await work(stop.signal);
  } catch (error) {
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    for (const name of signals) process.off(name, onSignal);
  }
}
