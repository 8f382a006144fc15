import type { KafkaClient } from '../../kernel/kafka/port.ts';
import { createLabKafka } from '../../operations/status/drain.ts';
import { UsageError } from '../../runtime/usage-error.ts';
import { wantedRun } from '../wanted-run.ts';

/** Works on the broker of the system that the flags name. @throws UsageError where it has none. */
export async function onBroker<T>(flags: { run?: string }, work: (kafka: KafkaClient) => Promise<T>): Promise<T> {
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
