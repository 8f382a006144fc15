import { statfs } from 'node:fs/promises';
import { type ConversionResult, type ConvertOptions, convertToPartitioned } from '../operations/conversion/convert.ts';
import { requestStep } from '../runtime/native/supervisor-request.ts';
import { UsageError } from '../runtime/usage-error.ts';
import type { ConvertFlags } from './commands/convert.ts';
import { findDatabase } from './database-target.ts';
import { progress } from './output.ts';

/** `lab convert partitioned`: finds the database and the way to restart its services, and converts. */
export async function convert(flags: ConvertFlags): Promise<ConversionResult> {
  if (flags.to !== undefined) throw new UsageError('--to is for citus: the partitioned tables stay in their database.');
  const target = await findDatabase(flags);
  if (target.run?.compose) {
    throw new UsageError(
      'Under compose a topology is a database service with a volume of its own: convert a native system.',
    );
  }
  const { run } = target;
  return untilInterrupted((signal) =>
    convertToPartitioned({
      ...optionsOf(flags, target.dsn),
      dsn: target.dsn,
      compare: flags.compare,
      restartServices: run && (() => requestStep(run, 'topology partitioned')),
      signal,
    }),
  );
}

/** What conversions of every kind take from the command line. */
export function optionsOf(flags: ConvertFlags, dsn: string) {
  return {
    action: actionOf(flags),
    ...{ batchRows: flags.batchRows, duty: flags.duty, maxLockMs: flags.maxLockMs, measureMs: flags.measureMs },
    measureFree: isLocal(dsn) ? measureFree : async () => null,
    progress,
  };
}

/** Ctrl-C ends the work at its next step, and its error says how to go on. */
export async function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const onInterrupt = () => stop.abort(new Error('Stopped. Go on with --resume, or undo it with --abort.'));
  process.once('SIGINT', onInterrupt);
  try {
    return await work(stop.signal);
  } catch (error) {
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    process.removeListener('SIGINT', onInterrupt);
  }
}

function actionOf({ resume, abort, finish }: ConvertFlags): ConvertOptions['action'] {
  const chosen = [resume && 'resume', abort && 'abort', finish && 'finish'].filter((name) => name !== undefined);
  if (chosen.length > 1) throw new UsageError('--resume, --abort and --finish exclude one another.');
  return (chosen[0] as ConvertOptions['action'] | undefined) ?? 'start';
}

/** The directory can be looked at; on another machine, or behind another user's rights, nothing is known. */
async function measureFree(directory: string): Promise<number | null> {
  return statfs(directory).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => null,
  );
}

function isLocal(dsn: string): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\]|)$/.test(new URL(dsn).hostname);
}
