import type { Client } from 'pg';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { capabilities } from '../../kernel/topology.ts';
import { UsageError } from '../../runtime/usage-error.ts';
import { findDatabase } from '../database-target.ts';
import type { ShardFlags } from './flags.ts';

/** Works on the coordinator of the cluster that the flags name. @throws UsageError where the system is none. */
export async function onCluster<T>(flags: ShardFlags, work: (client: Client) => Promise<T>): Promise<T> {
  const { dsn, run } = await findDatabase(flags);
  if (run && capabilities(run.topology).workers === 0) {
    throw new UsageError(`Run ${run.id} is ${run.topology}, which has no shards. Start one with: lab up citus`);
  }
  return withClient(dsn, work);
}
