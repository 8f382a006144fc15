import type { KafkaClient } from '../kernel/kafka/port.ts';
import { type DeadLetter, readDeadLetters, replayDeadLetters } from '../operations/dead-letters/dead-letters.ts';
import { createLabKafka } from '../operations/status/drain.ts';
import { UsageError } from '../runtime/usage-error.ts';
import type { DlqFlags } from './commands/dlq.ts';
import { print, printJson, table } from './output.ts';
import { wantedRun } from './wanted-run.ts';

/** `lab dlq list` */
export async function list(flags: DlqFlags): Promise<void> {
  const letters = (await withKafka(flags, (kafka) => readDeadLetters(kafka))).filter(
    (letter) =>
      (flags.reason === undefined || letter.reason === flags.reason) &&
      (flags.topic === undefined || letter.source.topic === flags.topic),
  );
  if (flags.json) printJson({ letters: letters.map(summary) });
  else if (letters.length === 0) print('No dead letters.');
  else {
    const rows = letters.map((letter) => [
      ...[letter.id, letter.reason, letter.attempts, new Date(letter.failedAtMs).toISOString()],
      ...[letter.replayedAtMs === null ? '' : `replayed ${new Date(letter.replayedAtMs).toISOString()}`],
      letter.detail.split('\n', 1)[0]!.slice(0, 60),
    ]);
    print(table(['id', 'reason', 'attempts', 'failed at', '', 'detail'], rows));
  }
}

/** `lab dlq show` */
export async function show(id: string, flags: DlqFlags): Promise<void> {
  const letter = (await withKafka(flags, (kafka) => readDeadLetters(kafka))).find((one) => one.id === id);
  if (!letter) throw new UsageError(`There is no dead letter ${id}. See: lab dlq list`);
  const value = letter.value?.toString('utf8') ?? null;
  if (flags.json) {
    printJson({ ...summary(letter), key: letter.key, headers: letter.headers, value });
    return;
  }
  const { source } = letter;
  print(
    table(
      [],
      [
        ['id', letter.id],
        ['from', `${source.topic}, partition ${source.partition}, offset ${source.offset}`],
        ['reason', letter.reason],
        ['detail', letter.detail],
        ['attempts', letter.attempts],
        ['failed at', new Date(letter.failedAtMs).toISOString()],
        ['replayed at', letter.replayedAtMs === null ? 'never' : new Date(letter.replayedAtMs).toISOString()],
        ['key', letter.key ?? 'none'],
        ...Object.entries(letter.headers).map(([name, text]) => [`header ${name}`, text]),
      ],
    ),
  );
  print(value ?? '(no value)');
}

/** `lab dlq replay` */
export async function replay(ids: readonly string[], flags: DlqFlags): Promise<void> {
  if (ids.length === 0 && !flags.all && flags.reason === undefined) {
    throw new UsageError('Name the dead letters, or use --all or --reason.');
  }
  if (ids.length > 0 && (flags.all || flags.reason !== undefined)) {
    throw new UsageError('Name the dead letters, or use --all or --reason: not both.');
  }
  const replayed = await withKafka(flags, async (kafka) => {
    const letters = await readDeadLetters(kafka);
    const unknown = ids.filter((id) => !letters.some((letter) => letter.id === id));
    if (unknown.length > 0) throw new UsageError(`There is no dead letter ${unknown.join(', ')}. See: lab dlq list`);
    // By name it may go again; a sweep leaves alone what was sent back before.
    const chosen = letters.filter((letter) =>
      ids.length > 0
        ? ids.includes(letter.id)
        : letter.replayedAtMs === null && (flags.reason === undefined || letter.reason === flags.reason),
    );
    await replayDeadLetters(kafka, chosen, Date.now());
    return chosen;
  });
  if (flags.json) printJson({ replayed: replayed.map(({ id }) => id) });
  else print(`${replayed.length} sent back to their topics.`);
}

function summary(letter: DeadLetter) {
  const { id, source, reason, detail, attempts, failedAtMs, replayedAtMs, value } = letter;
  return {
    ...{ id, source, reason, detail, attempts },
    failedAt: new Date(failedAtMs).toISOString(),
    replayedAt: replayedAtMs === null ? null : new Date(replayedAtMs).toISOString(),
    bytes: value?.length ?? 0,
  };
}

async function withKafka<T>(flags: DlqFlags, work: (kafka: KafkaClient) => Promise<T>): Promise<T> {
  const run = await wantedRun(flags.run);
  if (!run.kafka) {
    throw new UsageError(`${run.id} has no broker. Dead letters exist with: lab up … --mode kafka, or --cdc debezium`);
  }
  const kafka = createLabKafka(run.kafka.brokers);
  try {
    return await work(kafka);
  } finally {
    await kafka.close();
  }
}
