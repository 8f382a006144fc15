import { statfs } from 'node:fs/promises';
import { capabilities, isTopologyName, topologyNames } from '../../kernel/topology.ts';
import type { ConvertFlags } from '../commands/convert.ts';
import { findDatabase } from '../database-target.ts';
import { MissingPartError } from '../native/missing-part.ts';
import { requestTopology } from '../native/topology-request.ts';
import { progress, UsageError } from '../output.ts';
import { type ConversionResult, type ConvertOptions, convertToPartitioned } from './convert.ts';

/** `lab convert`: finds the database and the way to restart its services, and converts. */
export async function convert(topology: string, flags: ConvertFlags): Promise<ConversionResult> {
  if (!isTopologyName(topology)) throw new UsageError(`A topology is one of ${topologyNames.join(', ')}.`);
  const extension = capabilities(topology).requiredExtension;
  if (extension) throw new MissingPartError(`a conversion to ${topology}`, `it needs the ${extension} extension`);
  if (topology !== 'partitioned') throw new UsageError('Only partitioned can be converted to.');
  const target = await findDatabase(flags);
  if (target.run?.compose) {
    throw new UsageError(
      'Under compose a topology is a database service with a volume of its own: convert a native system.',
    );
  }
  const stop = new AbortController();
  const onInterrupt = () => stop.abort(new Error('Stopped. Go on with --resume, or undo it with --abort.'));
  process.once('SIGINT', onInterrupt);
  try {
    const { run } = target;
    return await convertToPartitioned({
      dsn: target.dsn,
      action: actionOf(flags),
      batchRows: flags.batchRows,
      duty: flags.duty,
      maxLockMs: flags.maxLockMs,
      compare: flags.compare,
      measureMs: flags.measureMs,
      measureFree: isLocal(target.dsn) ? measureFree : async () => null,
      restartServices: run && (() => requestTopology(run, 'partitioned')),
      progress,
      signal: stop.signal,
    });
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
