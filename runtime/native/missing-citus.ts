import { shardingExtension } from '../../kernel/topology.ts';
import { listInstalled } from './installed.ts';

export const citusRemedy =
  'install Citus 13 for PostgreSQL 15–17, or 14 for 16–18, from https://github.com/citusdata/citus (packages or source)';

/** What `lab doctor` and `lab up` say when no installed PostgreSQL has the extension; undefined when one does. */
export async function missingCitus(): Promise<string | undefined> {
  const installed = await listInstalled();
  return installed.some(({ extensions }) => extensions.includes(shardingExtension))
    ? undefined
    : 'an installed PostgreSQL with the citus extension';
}
