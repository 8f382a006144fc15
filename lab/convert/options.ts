import type { ConvertOptions } from '../../operations/conversion/convert.ts';
import { freeSpaceMeter } from '../../operations/conversion/disk-space.ts';
import { UsageError } from '../../runtime/usage-error.ts';
import { type Interruption, interruptible } from '../interruptible.ts';
import { progress } from '../output.ts';
import type { ConvertFlags } from './flags.ts';

/** What conversions of every kind take from the command line. */
export function optionsOf(flags: ConvertFlags, dsn: string) {
  return {
    action: actionOf(flags),
    batchRows: flags.batchRows,
    duty: flags.duty,
    maxLockMs: flags.maxLockMs,
    measureMs: flags.measureMs,
    measureFree: freeSpaceMeter(dsn),
    progress,
  };
}

const interruption: Interruption = {
  signals: ['SIGINT'],
  message: 'Stopped. Go on with --resume, or undo it with --abort.',
};

/** Ctrl-C ends the work at its next step, and its error says how to go on. */
export function untilInterrupted<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return interruptible(work, interruption);
}

function actionOf({ resume, abort, finish }: ConvertFlags): ConvertOptions['action'] {
  const chosen = [resume && 'resume', abort && 'abort', finish && 'finish'].filter((name) => name !== undefined);
  if (chosen.length > 1) throw new UsageError('--resume, --abort and --finish exclude one another.');
  return (chosen[0] as ConvertOptions['action'] | undefined) ?? 'start';
}
