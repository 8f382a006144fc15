import { capabilities, conversions } from '../../../kernel/topology.ts';
import { citusRemedy, missingCitus } from '../../../runtime/native/missing-citus.ts';
import { MissingPartError } from '../../../runtime/native/missing-part.ts';
import { findRun } from '../../../runtime/native/run-directory.ts';
import { askSupervisor } from '../../../runtime/native/supervisor-client.ts';
import type { SystemDescription } from '../../../runtime/system-description.ts';
import { UsageError } from '../../../runtime/usage-error.ts';

/** Where the rows are, where they go, and what can be done about the services that use them. */
export interface ClusterPlaces {
  /** postgresql:// URL of a superuser on the database that is left. */
  sourceDsn: string;
  /** The coordinator of the cluster that takes the rows over, as a superuser; starts it where that is ours to do. */
  openTarget(): Promise<string>;
  /** Removes the cluster, for an abort. Without it its tables are emptied. */
  discardTarget?: (() => Promise<void>) | undefined;
  /** Restarts the services on the cluster. Without it the conversion ends after the switch, and waits for `finish`. */
  restartServices?: (() => Promise<void>) | undefined;
  /** Restarts change data capture on the cluster, where that is ours to do. */
  restartCdc?: (() => Promise<void>) | undefined;
  /** Runs when all is done, before the source forgets it. */
  onFinished?: (() => Promise<void>) | undefined;
}

/** Three servers have to start, and hundreds of shards to be made. */
const clusterStartMs = 240_000;

/**
 * A running system of the lab, whose supervisor starts the cluster beside the database and moves the services.
 * @throws UsageError when the system can't be converted, MissingPartError where no Citus is installed.
 */
export async function besideRun(run: SystemDescription, progress: (line: string) => void): Promise<ClusterPlaces> {
  checkRun(run);
  const missing = await missingCitus();
  if (missing) throw new MissingPartError(missing, citusRemedy);
  const ask = askSupervisor.bind(undefined, run);
  return {
    sourceDsn: run.conversion?.source ?? run.dsn.admin,
    openTarget: async () => {
      if (run.conversion) return run.conversion.target;
      progress('starting a coordinator and two workers beside the database');
      await ask({ type: 'start_cluster' }, clusterStartMs);
      return (await findRun(run.id))!.conversion!.target;
    },
    discardTarget: () => ask({ type: 'discard_cluster' }),
    restartServices: () => ask({ type: 'switch_topology', topology: conversions.toCluster.to }),
    restartCdc: run.cdc === 'native' ? () => ask({ type: 'restart_cdc' }) : undefined,
    onFinished: () => ask({ type: 'end_conversion' }),
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
  const { from, to } = conversions.toCluster;
  if (topology === conversions.inPlace.from)
    throw new UsageError(`Run ${id} is ${topology}. First: lab convert ${from}`);
  if (topology !== from) throw new UsageError(`Run ${id} is ${topology}: only ${from} becomes ${to}.`);
  const cluster = capabilities(to);
  if (pooler && !cluster.pooler)
    throw new UsageError(`Run ${id} has a pooler, which a cluster has not: start it without --pgbouncer.`);
  if (cdc === 'debezium' && !cluster.cdcEngines.includes(cdc))
    throw new UsageError(`Run ${id} is read by Debezium, which a cluster is not: use --cdc native.`);
}
