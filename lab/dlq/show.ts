import { type DeadLetter, readDeadLetters } from '../../operations/dead-letters/dead-letters.ts';
import { UsageError } from '../../runtime/usage-error.ts';
import { print, printJson, table } from '../output.ts';
import type { DlqFlags } from './flags.ts';
import { onBroker } from './on-broker.ts';
import { summaryOf, timeOf } from './text.ts';

/** `lab dlq show` */
export async function show(id: string, flags: DlqFlags): Promise<void> {
  const deadLetters = await onBroker(flags, (kafka) => readDeadLetters(kafka));
  const found = deadLetters.find((deadLetter) => deadLetter.id === id);
  if (!found) throw new UsageError(`There is no dead letter ${id}. See: lab dlq list`);
  const value = found.value?.toString('utf8') ?? null;
  if (flags.json) {
    printJson({ ...summaryOf(found), key: found.key, headers: found.headers, value });
    return;
  }
  print(describe(found));
  print(value ?? '(no value)');
}

function describe({ id, source, reason, detail, attempts, failedAtMs, replayedAtMs, key, headers }: DeadLetter) {
  const headerRows = Object.entries(headers).map(([name, text]) => [`header ${name}`, text]);
  return table(
    [],
    [
      ['id', id],
      ['from', `${source.topic}, partition ${source.partition}, offset ${source.offset}`],
      ['reason', reason],
      ['detail', detail],
      ['attempts', attempts],
      ['failed at', timeOf(failedAtMs)],
      ['replayed at', replayedAtMs === null ? 'never' : timeOf(replayedAtMs)],
      ['key', key ?? 'none'],
      ...headerRows,
    ],
  );
}
