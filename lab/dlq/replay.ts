import { readDeadLetters, replayDeadLetters, selectForReplay } from '../../operations/dead-letters/dead-letters.ts';
import { UsageError } from '../../runtime/usage-error.ts';
import { print, printJson } from '../output.ts';
import type { DlqFlags } from './flags.ts';
import { onBroker } from './on-broker.ts';

/** `lab dlq replay` */
export async function replay(ids: readonly string[], flags: DlqFlags): Promise<void> {
  if (ids.length === 0 && !flags.all && flags.reason === undefined) {
    throw new UsageError('Name the dead letters, or use --all or --reason.');
  }
  if (ids.length > 0 && (flags.all || flags.reason !== undefined)) {
    throw new UsageError('Name the dead letters, or use --all or --reason: not both.');
  }
  const replayed = await onBroker(flags, async (kafka) => {
    const chosen = selectForReplay(await readDeadLetters(kafka), ids, flags.reason);
    await replayDeadLetters(kafka, chosen, Date.now());
    return chosen;
  });
  if (flags.json) printJson({ replayed: replayed.map(({ id }) => id) });
  else print(`${replayed.length} sent back to their topics.`);
}
