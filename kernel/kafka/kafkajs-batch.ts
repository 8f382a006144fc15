import { setTimeout as delay } from 'node:timers/promises';
import type { EachBatchPayload, IHeaders, KafkaMessage as KafkajsMessage } from 'kafkajs';
import { createGroupCommit } from '../group-commit.ts';
import { isExpelled, isTransient, protocolError } from './kafkajs-errors.ts';
import { type ConsumerRun, type KafkaMessage, Postpone } from './port.ts';

/** What happens to a batch that kafkajs has fetched, during one membership of a group. */
export interface BatchRunner {
  handle(payload: EachBatchPayload): Promise<void>;
  /** From now on nothing that was handed out is committed: the partitions may have another owner. */
  revokeAll(): void;
  /** Tells batches that wait for something to give up; others may end and be committed. */
  endWaiting(): void;
  /** Ends the pauses of partitions whose batch failed. */
  stop(): void;
}

export interface BatchRunnerOptions {
  run: ConsumerRun;
  heartbeatMs: number;
  maxMessages: number;
}

const commitAttempts = 20;
const commitPauseMs = 250;

/**
 * Hands fetched messages to `onBatch` and commits behind it. Offsets are committed here and not by kafkajs, whose
 * commit takes the group's generation of the moment: after a rebalance a batch from before would move, back or forth,
 * the offset of a partition that another member owns by then.
 * Longer than 60 lines because a batch and what revokes or ends it share the lists of batches in hand.
 */
export function createBatchRunner(options: BatchRunnerOptions): BatchRunner {
  const { run, heartbeatMs, maxMessages } = options;
  const resting = new RestingPartitions(run);
  const inHand = new Set<AbortController>();
  const waitings = new Set<AbortController>();
  // Commits of partitions that end together, or while another commit is under way, share a request: each one is a write
  // to a topic of the broker's own, and costs it as much as a write of messages.
  const commits = createGroupCommit<Commit, undefined>({
    apply: async (batch) => {
      await commitTogether(batch);
      return batch.map(() => undefined);
    },
    maxBatch: Number.POSITIVE_INFINITY,
    // No more wait than there are partitions in hand.
    maxQueue: Number.POSITIVE_INFINITY,
  });
  let ending = false;

  const handle = async (payload: EachBatchPayload): Promise<void> => {
    const { batch } = payload;
    const { topic, partition } = batch;
    const owned = new AbortController();
    const waiting = new AbortController();
    inHand.add(owned);
    waitings.add(waiting);
    const beating = setInterval(() => void beat(payload, owned), heartbeatMs / 2);
    try {
      for (let start = 0; start < batch.messages.length; start += maxMessages) {
        if (ending || owned.signal.aborted || !payload.isRunning() || payload.isStale()) return;
        const messages = batch.messages.slice(start, start + maxMessages);
        try {
          await run.onBatch({
            topic,
            partition,
            messages: messages.map(toMessage),
            highWatermark: BigInt(batch.highWatermark),
            signal: AbortSignal.any([owned.signal, waiting.signal]),
          });
        } catch (error) {
          if (!owned.signal.aborted && !ending) resting.putOff(payload, error);
          return;
        }
        resting.succeeded(topic, partition);
        const last = messages.at(-1)!.offset;
        await commits.add({ payload, next: BigInt(last) + 1n, owned: owned.signal });
        if (owned.signal.aborted) return;
        payload.resolveOffset(last);
      }
    } finally {
      clearInterval(beating);
      inHand.delete(owned);
      waitings.delete(waiting);
    }
  };

  return {
    handle,
    revokeAll: () => {
      for (const owned of inHand) owned.abort(new Error('the partition may belong to another member'));
      inHand.clear();
    },
    endWaiting: () => {
      ending = true;
      for (const waiting of waitings) waiting.abort(new Error('the consumer closes'));
    },
    stop: () => resting.stop(),
  };
}

/** Partitions whose batch failed: they rest, longer after each failure, while the others go on. */
class RestingPartitions {
  readonly #run: ConsumerRun;
  readonly #failures = new Map<string, number>();
  readonly #pauses = new Set<NodeJS.Timeout>();

  constructor(run: ConsumerRun) {
    this.#run = run;
  }

  succeeded(topic: string, partition: number): void {
    this.#failures.delete(`${topic}/${partition}`);
  }

  /** The partition rests, and its messages come again: their offset is not resolved, so the next fetch begins there. */
  putOff(payload: EachBatchPayload, error: unknown): void {
    const waitMs = error instanceof Postpone ? error.delayMs : this.#afterFailure(payload, error);
    const resume = payload.pause();
    const timer = setTimeout(() => {
      this.#pauses.delete(timer);
      resume();
    }, waitMs);
    this.#pauses.add(timer);
  }

  stop(): void {
    for (const timer of this.#pauses) clearTimeout(timer);
    this.#pauses.clear();
  }

  /** @returns how long the partition rests. */
  #afterFailure({ batch: { topic, partition } }: EachBatchPayload, error: unknown): number {
    const key = `${topic}/${partition}`;
    const attempt = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, attempt);
    this.#run.onError?.(error, { topic, partition, attempt });
    return Math.min(this.#run.retryMaxMs ?? 30_000, 100 * 2 ** Math.min(attempt, 20));
  }
}

/** Keeps the member alive while a batch is worked on. A rebalance may wait for the batch: the group gives it time. */
async function beat(payload: EachBatchPayload, owned: AbortController): Promise<void> {
  try {
    await payload.heartbeat();
  } catch (error) {
    if (isExpelled(error)) owned.abort(error);
  }
}

interface Commit {
  payload: EachBatchPayload;
  /** The offset that the partition goes on with. */
  next: bigint;
  /** Aborted when the partition may belong to another member. */
  owned: AbortSignal;
}

/** Partitions that are no longer ours are left out. @throws what kafkajs has to know to join the group again. */
async function commitTogether(commits: readonly Commit[]): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    // Looked at right before the request is made, which takes the generation of this moment.
    const ours = commits.filter(({ owned }) => !owned.aborted);
    if (ours.length === 0) return;
    try {
      await ours[0]!.payload.commitOffsetsIfNecessary({ topics: byTopic(ours) });
      return;
    } catch (error) {
      const mayPass = protocolError(error) === undefined || isTransient(error);
      // Without a commit the messages come again, here or elsewhere.
      if (!mayPass || attempt === commitAttempts) throw error;
      await delay(commitPauseMs);
    }
  }
}

function byTopic(commits: readonly Commit[]) {
  const topics = Map.groupBy(commits, ({ payload }) => payload.batch.topic);
  return [...topics].map(([topic, own]) => ({
    topic,
    partitions: own.map(({ payload, next }) => ({ partition: payload.batch.partition, offset: String(next) })),
  }));
}

function toMessage(message: KafkajsMessage): KafkaMessage {
  return {
    offset: BigInt(message.offset),
    key: message.key?.toString() ?? null,
    value: message.value,
    headers: toHeaders(message.headers ?? {}),
    timestampMs: Number(message.timestamp),
  };
}

/** A header that is there twice keeps its last value. */
function toHeaders(headers: IHeaders): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const last = Array.isArray(value) ? value.at(-1) : value;
    if (last !== undefined) texts[name] = last.toString();
  }
  return texts;
}
