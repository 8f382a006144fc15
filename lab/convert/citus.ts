import { convertToCitus } from '../../operations/conversion/citus/convert.ts';
import { besideRun, type ClusterPlaces } from '../../operations/conversion/citus/places.ts';
import type { CitusConversionResult } from '../../operations/conversion/citus/result.ts';
import { UsageError } from '../../runtime/usage-error.ts';
import { checkDsn, findDatabase, parseDsn } from '../database-target.ts';
import { progress } from '../output.ts';
import type { ConvertFlags } from './flags.ts';
import { optionsOf, untilInterrupted } from './options.ts';

/** `lab convert citus`: finds the database, the cluster, and the way to restart the services. */
export async function convertCitus(flags: ConvertFlags): Promise<CitusConversionResult> {
  if (flags.compare === false) {
    throw new UsageError('--no-compare is for partitioned: rows that move are always compared.');
  }
  if (flags.dsn !== undefined) {
    if (flags.to === undefined) {
      throw new UsageError('--dsn needs --to: the URL of the coordinator that takes the rows over.');
    }
    parseDsn('--to', flags.to);
  }
  const { run, dsn } = await findDatabase(flags);
  if (run && flags.to !== undefined) {
    throw new UsageError('--to goes with --dsn: beside a system of the lab the cluster is started.');
  }
  const places = run ? await besideRun(run, progress) : await ofDsn(dsn, flags.to!);
  return untilInterrupted((signal) => convertToCitus({ ...optionsOf(flags, dsn), ...places, signal }));
}

async function ofDsn(sourceDsn: string, to: string): Promise<ClusterPlaces> {
  await checkDsn('--to', to);
  return { sourceDsn, openTarget: async () => to };
}
