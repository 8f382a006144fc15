import type { Client } from 'pg';
import { withClient } from '../../kernel/postgres/with-client.ts';
import { type DatabaseTarget, findDatabase } from '../database-target.ts';
import type { TargetFlags } from './flags.ts';

/** Works on the database that the flags name. */
export async function onDatabase<T>(
  flags: TargetFlags,
  work: (client: Client, target: DatabaseTarget) => Promise<T>,
): Promise<T> {
  const target = await findDatabase(flags);
  return withClient(target.dsn, (client) => work(client, target));
}
