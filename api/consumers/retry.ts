import { readFailure } from '../../kernel/contract/failure-headers.ts';
import { type Batch, Postpone } from '../../kernel/kafka/port.ts';
import { longestPauseMs } from './backoff.ts';
import { type ProcessDependencies, processMessages } from './process.ts';

/**
 * Works off a batch of a retry topic once all of it is due. A message may wait behind one with a longer pause, so 30 s
 * are the most by which it is late. Batches of one message keep it from being tried again together with others.
 * @throws Postpone until then, which leaves the member free for its other partitions.
 */
export async function processRetries(dependencies: ProcessDependencies, batch: Batch): Promise<void> {
  const dueAtMs = Math.max(...batch.messages.map((message) => readFailure(batch, message).retryAtMs ?? 0));
  const waitMs = dueAtMs - dependencies.now().getTime();
  // The clock of the process that wrote the time may be ahead. Much further ahead it was set back since, and the message would
  // hold up everything behind it.
  if (waitMs > 0 && waitMs <= 2 * longestPauseMs) throw new Postpone(waitMs);
  await processMessages(dependencies, batch, batch.messages, batch.signal);
}
