import { type DeadLetter, readDeadLetters } from '../../operations/dead-letters/dead-letters.ts';
import { print, printJson, table } from '../output.ts';
import type { DlqFlags } from './flags.ts';
import { onBroker } from './on-broker.ts';
import { summaryOf, timeOf } from './text.ts';

/** `lab dlq list` */
export async function list(flags: DlqFlags): Promise<void> {
  const all = await onBroker(flags, (kafka) => readDeadLetters(kafka));
  const deadLetters = all.filter(
    ({ reason, source }) =>
      (flags.reason === undefined || reason === flags.reason) &&
      (flags.topic === undefined || source.topic === flags.topic),
  );
  if (flags.json) printJson({ letters: deadLetters.map(summaryOf) });
  else if (deadLetters.length === 0) print('No dead letters.');
  else print(table(['id', 'reason', 'attempts', 'failed at', '', 'detail'], deadLetters.map(describe)));
}

function describe({ id, reason, attempts, failedAtMs, replayedAtMs, detail }: DeadLetter): (string | number)[] {
  return [
    id,
    reason,
    attempts,
    timeOf(failedAtMs),
    replayedAtMs === null ? '' : `replayed ${timeOf(replayedAtMs)}`,
    detail.split('\n', 1)[0]!.slice(0, 60),
  ];
}
