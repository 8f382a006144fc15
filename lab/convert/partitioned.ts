import { conversions } from '../../kernel/topology.ts';
import { type ConversionResult, convertToPartitioned } from '../../operations/conversion/convert.ts';
import { askSupervisor } from '../../runtime/native/supervisor-client.ts';
import { UsageError } from '../../runtime/usage-error.ts';
import { findDatabase } from '../database-target.ts';
import type { ConvertFlags } from './flags.ts';
import { optionsOf, untilInterrupted } from './options.ts';

/** `lab convert partitioned`: finds the database and the way to restart its services, and converts. */
export async function convert(flags: ConvertFlags): Promise<ConversionResult> {
  if (flags.to !== undefined) throw new UsageError('--to is for citus: the partitioned tables stay in their database.');
  const { run, dsn } = await findDatabase(flags);
  if (run?.compose) {
    throw new UsageError(
      'Under compose a topology is a database service with a volume of its own: convert a native system.',
    );
  }
  return untilInterrupted((signal) =>
    convertToPartitioned({
      ...optionsOf(flags, dsn),
      dsn,
      compare: flags.compare,
      restartServices: run && (() => askSupervisor(run, { type: 'switch_topology', topology: conversions.inPlace.to })),
      signal,
    }),
  );
}
