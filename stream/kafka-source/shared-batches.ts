import type { Logger } from 'pino';
import { ContractError } from '../../kernel/contract/contract-error.ts';
import { sendMoved } from '../../kernel/contract/moved-message.ts';
import type { Batch, KafkaMessage, OutgoingMessage, Producer } from '../../kernel/kafka/port.ts';
import { CdcAlarm } from '../alarm.ts';
import { Batcher, type BatchLimits } from '../batcher.ts';
import type { Sink, SinkError, SinkEvent } from '../sink.ts';
import { deadLetter } from './dead-letter.ts';
import { decodeEvent } from './decode.ts';

export interface SharedBatchesOptions {
  /** Begins every deduplication token of the sink. */
  name: string;
  sink: Sink;
  limits: BatchLimits;
  /** Takes the dead letters. */
  producer: Pick<Producer, 'send'>;
  logger: Logger;
  nowMs(): number;
  onSunk(batch: readonly SinkEvent[], sunkAtMs: number): void;
  onRefused(reason: string): void;
}

/** A partition's batch that waits until the sink has it. */
interface Waiting {
  resolve(): void;
  reject(error: unknown): void;
}

/** Batches of several partitions on their way to the sink, which share its writes. */
export class SharedBatches {
  readonly #options: SharedBatchesOptions;
  readonly #ending = new AbortController();
  readonly #failure = Promise.withResolvers<never>();
  /** Where an event came from, for the dead letter in case the sink refuses it. */
  readonly #origins = new WeakMap<SinkEvent, { batch: Batch; message: KafkaMessage }>();
  #batcher: Batcher<Waiting[]>;
  #waiting: Waiting[] = [];

  constructor(options: SharedBatchesOptions) {
    this.#options = options;
    this.#failure.promise.catch(() => {});
    this.#batcher = this.#newBatcher();
  }

  /** Rejects with the alarm after which nothing can be written any more. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  /** Commit time of the oldest event that is not in the sink, in Unix ms. */
  get oldestMs(): number | undefined {
    return this.#batcher.oldestMs;
  }

  /** Resolves once the sink has the batch, and the dead letters have what of it cannot be read. */
  async write(batch: Batch): Promise<void> {
    const dead = batch.messages.flatMap((message) => this.#add(batch, message));
    const sunk = new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    // Where more waits at the broker, waiting for company here would only cost time.
    const last = batch.messages.at(-1)!.offset;
    this.#batcher.touch(last + 1n < batch.highWatermark);
    await Promise.all([sunk, sendMoved(this.#options.producer, dead)]);
  }

  /** Gives up what is not written yet; it comes again after the next start. */
  end(): void {
    this.#ending.abort(new Error('The engine has stopped.'));
    this.#batcher.end();
  }

  /** @returns the dead letter of a message that cannot be read. */
  #add(batch: Batch, message: KafkaMessage): OutgoingMessage[] {
    const { logger, nowMs, onRefused } = this.#options;
    try {
      const event = decodeEvent(message);
      if (!event) return [];
      this.#origins.set(event, { batch, message });
      this.#batcher.add(event, message.value!.length);
      return [];
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      logger.error({ topic: batch.topic, offset: message.offset.toString(), err: error }, 'unreadable message');
      onRefused(error.reason);
      return [deadLetter(batch, message, { reason: error.reason, detail: error.message, failedAtMs: nowMs() })];
    }
  }

  #newBatcher(): Batcher<Waiting[]> {
    const { sink, name, limits, nowMs, onSunk } = this.#options;
    return new Batcher<Waiting[]>({
      ...limits,
      sink,
      name,
      signal: this.#ending.signal,
      nowMs,
      capture: () => this.#takeWaiting(),
      sunk: (waiting, batch, sunkAtMs) => {
        onSunk(batch, sunkAtMs);
        for (const each of waiting) each.resolve();
      },
      refused: (event, error) => this.#putAside(event, error),
      failed: (error, waiting) => this.#startOver(error, waiting ?? []),
    });
  }

  #takeWaiting(): Waiting[] {
    const taken = this.#waiting;
    this.#waiting = [];
    return taken;
  }

  async #putAside(event: SinkEvent, error: SinkError): Promise<void> {
    const { producer, nowMs, onRefused } = this.#options;
    const origin = this.#origins.get(event)!;
    const failure = { reason: 'sink_refused', detail: error.message, failedAtMs: nowMs() };
    await producer.send([deadLetter(origin.batch, origin.message, failure)]);
    onRefused(failure.reason);
  }

  /** The partitions' batches come again, after a pause, into a new batcher. */
  #startOver(error: unknown, inHand: readonly Waiting[]): void {
    this.#batcher = this.#newBatcher();
    const all = [...inHand, ...this.#takeWaiting()];
    if (error instanceof CdcAlarm) this.#failure.reject(error);
    else if (!this.#ending.signal.aborted) {
      this.#options.logger.warn({ err: error }, 'the sink failed; the messages come again');
    }
    for (const each of all) each.reject(error);
  }
}
