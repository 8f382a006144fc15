import { type CitusConvertOptions, convertToCitus } from '../operations/conversion/citus/convert.ts';
import type { CitusConversionResult } from '../operations/conversion/citus/result.ts';
import { citusRemedy, missingCitus } from '../runtime/native/citus.ts';
import { MissingPartError } from '../runtime/native/missing-part.ts';
import { findRun } from '../runtime/native/run-directory.ts';
import { requestStep } from '../runtime/native/supervisor-request.ts';
import type { SystemDescription } from '../runtime/native/system.ts';
import { UsageError } from '../runtime/usage-error.ts';
import type { ConvertFlags } from './commands/convert.ts';
import { optionsOf, untilInterrupted } from './convert-command.ts';
import { checkDsn, findDatabase, parseDsn } from './database-target.ts';
import { progress } from './output.ts';

/** Three servers have to start, and hundreds of shards to be made. */
const clusterStartMs = 240_000;

/** `lab convert citus`: finds the database, the cluster, and the way to restart the services. */
export async function convertCitus(flags: ConvertFlags): Promise<CitusConversionResult> {
  if (flags.compare === false)
    throw new UsageError('--no-compare is for partitioned: rows that move are always compared.');
  if (flags.dsn !== undefined) {
    if (flags.to === undefined) {
      throw new UsageError('--dsn needs --to: the URL of the coordinator that takes the rows over.');
    }
    parseDsn('--to', flags.to);
  }
  const { run, dsn } = await findDatabase(flags);
  const places = run ? await ofRun(run, flags) : await ofDsn(dsn, flags.to!);
  return untilInterrupted((signal) => convertToCitus({ ...optionsOf(flags, dsn), ...places, signal }));
}

type Places = Pick<
  CitusConvertOptions,
  'sourceDsn' | 'openTarget' | 'discardTarget' | 'restartServices' | 'restartCdc' | 'onFinished'
>;

async function ofDsn(sourceDsn: string, to: string): Promise<Places> {
  await checkDsn('--to', to);
  return { sourceDsn, openTarget: async () => to };
}

async function ofRun(run: SystemDescription, { to }: ConvertFlags): Promise<Places> {
  if (to !== undefined)
    throw new UsageError('--to goes with --dsn: beside a system of the lab the cluster is started.');
  checkRun(run);
  const missing = await missingCitus();
  if (missing) throw new MissingPartError(missing, citusRemedy);
  const ask = requestStep.bind(undefined, run);
  return {
    sourceDsn: run.conversion?.source ?? run.dsn.admin,
    openTarget: async () => {
      if (run.conversion) return run.conversion.target;
      progress('starting a coordinator and two workers beside the database');
      await ask('start cluster', clusterStartMs);
      return (await findRun(run.id))!.conversion!.target;
    },
    discardTarget: () => ask('discard cluster'),
    restartServices: () => ask('topology citus'),
    restartCdc: run.cdc === 'native' ? () => ask('restart cdc') : undefined,
    onFinished: () => ask('end conversion'),
  };
}

/** @throws UsageError that says what stands in the way, and what to do. */
export function checkRun({ id, compose, conversion, topology, pooler, cdc }: SystemDescription): void {
  if (compose) {
    throw new UsageError(
      'Under compose a topology is a database service with a volume of its own: convert a native system.',
    );
  }
  if (conversion) return;
  if (topology === 'plain') throw new UsageError(`Run ${id} is plain. First: lab convert partitioned`);
  if (topology !== 'partitioned') throw new UsageError(`Run ${id} is ${topology}: only partitioned becomes citus.`);
  if (pooler) throw new UsageError(`Run ${id} has a pooler, which a cluster has not: start it without --pgbouncer.`);
  if (cdc === 'debezium')
    throw new UsageError(`Run ${id} is read by Debezium, which a cluster is not: use --cdc native.`);
}
