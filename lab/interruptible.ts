import { progress } from './output.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs work so that Ctrl-C ends it in order: what it has started is stopped and removed. A second Ctrl-C ends the
 * process at once, and the guards of its runs clean up.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    progress('stopping');
    stop.abort(new Error(`stopped by ${name}`));
  };
  for (const name of signals) process.once(name, onSignal);
  try {
    return await work(stop.signal);
  } finally {
    for (const name of signals) process.off(name, onSignal);
  }
}
