import { setTimeout as delay } from 'node:timers/promises';
import type { Batch, KafkaMessage } from '../../kernel/kafka/port.ts';
import { readFailure } from './headers.ts';
import { type ProcessDependencies, processMessages } from './process.ts';

/**
 * Works off a batch of a retry topic: waits until its first message is due, then takes every further one that is due
 * by then. A message may wait behind one with a longer pause, so 30 s are the most by which it is late.
 */
export async function processRetries(dependencies: ProcessDependencies, batch: Batch): Promise<void> {
  const { messages, signal } = batch;
  for (let start = 0; start < messages.length; ) {
    const waitMs = dueAtMs(batch, messages[start]!) - dependencies.now().getTime();
    if (waitMs > 0) await delay(waitMs, undefined, { signal });
    signal.throwIfAborted();
    const nowMs = dependencies.now().getTime();
    let end = start + 1;
    while (end < messages.length && dueAtMs(batch, messages[end]!) <= nowMs) end += 1;
    await processMessages(dependencies, batch, messages.slice(start, end), signal);
    start = end;
  }
}

function dueAtMs(batch: Batch, message: KafkaMessage): number {
  return readFailure(batch, message).retryAtMs ?? 0;
}
