import { createHash } from 'node:crypto';
import { CdcAlarm } from './alarm.ts';
import { EventError, type Sink, SinkError, type SinkEvent } from './sink.ts';

export interface BatchLimits {
  maxEvents: number;
  /** Of the events' text in the source. */
  maxBytes: number;
  /** How long the first event of a batch waits for company. */
  maxWaitMs: number;
}

export interface BatcherOptions<Mark> extends BatchLimits {
  sink: Sink;
  /** Begins every deduplication token. */
  name: string;
  /** Aborts what the sink repeats. */
  signal: AbortSignal;
  nowMs(): number;
  /** Called at the moment a batch is closed: what its source may forget once the batch is sunk. */
  capture(): Mark;
  /** Called after the sink has the batch. The next batch waits for it. */
  sunk(mark: Mark, batch: readonly SinkEvent[], sunkAtMs: number): Promise<void> | void;
  /** Puts an event aside that the sink refuses, so that it does not block those behind it. */
  refused(event: SinkEvent, error: SinkError): Promise<void>;
  /** Nothing more will be written after this. */
  failed(error: unknown, mark: Mark | undefined): void;
  /** Called whenever a write has ended, so that a paused source can go on. */
  drained?(): void;
}

/** More events than this refused by the store in one batch, and it is the store that is wrong and not the events. */
const maxRefusedInBatch = 20;

/**
 * Collects events into batches by number, size and time, and writes one at a time, in order. While one is written the
 * next one fills; the source must stop when `full` says so. Holds at most two batches.
 */
export class Batcher<Mark> {
  readonly #options: BatcherOptions<Mark>;
  #open: SinkEvent[] = [];
  #openBytes = 0;
  #openSinceMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #inHand: SinkEvent[] | undefined;
  #ended = false;

  constructor(options: BatcherOptions<Mark>) {
    this.#options = options;
  }

  add(event: SinkEvent, bytes: number): void {
    this.#open.push(event);
    this.#openBytes += bytes;
    if (this.#openSinceMs === undefined) this.touch();
    if (this.#reached()) this.#close();
  }

  /**
   * Asks for `capture` and `sunk` in due time although no event came. With `atOnce` the batch waits for no more company
   * than comes during the write before it.
   */
  touch(atOnce = false): void {
    if (atOnce) {
      this.#openSinceMs = 0;
      clearTimeout(this.#timer);
      this.#timer = undefined;
    } else {
      this.#openSinceMs ??= this.#options.nowMs();
    }
    this.#arm();
  }

  /** Whether the source has to wait: a batch is being written and the next one is complete. */
  get full(): boolean {
    return this.#writing !== undefined && this.#reached();
  }

  /** Events that the sink does not have yet are waiting or on their way. */
  get busy(): boolean {
    return this.#writing !== undefined || this.#openSinceMs !== undefined;
  }

  /** Commit time of the oldest event that is not in the sink, in Unix ms. */
  get oldestMs(): number | undefined {
    return (this.#inHand ?? this.#open)[0]?.times.committedAtMs;
  }

  /** Writes what is there and waits for it. */
  async flush(): Promise<void> {
    while (this.busy && !this.#ended) {
      this.#close();
      await this.#writing;
    }
  }

  /** Forgets what is not written. A write in hand ends by the signal. */
  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#open = [];
    this.#openSinceMs = undefined;
  }

  #reached(): boolean {
    return this.#open.length >= this.#options.maxEvents || this.#openBytes >= this.#options.maxBytes;
  }

  #arm(): void {
    if (this.#ended || this.#timer || this.#writing || this.#openSinceMs === undefined) return;
    const { nowMs, maxWaitMs } = this.#options;
    // Below 0 where the clock was set back meanwhile, which must not lengthen the wait.
    const age = Math.max(0, nowMs() - this.#openSinceMs);
    this.#timer = setTimeout(() => this.#close(), Math.max(0, maxWaitMs - age));
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#ended || this.#writing || this.#openSinceMs === undefined) return;
    const batch = this.#open;
    this.#open = [];
    this.#openBytes = 0;
    this.#openSinceMs = undefined;
    this.#inHand = batch.length > 0 ? batch : undefined;
    this.#writing = this.#write(batch, this.#options.capture());
  }

  async #write(batch: SinkEvent[], mark: Mark): Promise<void> {
    try {
      await this.#deliver(batch, { left: maxRefusedInBatch });
      await this.#options.sunk(mark, batch, this.#options.nowMs());
    } catch (error) {
      this.end();
      this.#options.failed(error, mark);
    }
    this.#writing = undefined;
    this.#inHand = undefined;
    if (this.#reached()) this.#close();
    else this.#arm();
    this.#options.drained?.();
  }

  /** Halves a batch that the sink refuses until the event at fault is alone. */
  async #deliver(events: readonly SinkEvent[], refusals: { left: number }): Promise<void> {
    if (events.length === 0) return;
    try {
      await this.#options.sink.write(events, batchToken(this.#options.name, events), this.#options.signal);
    } catch (error) {
      if (!(error instanceof SinkError)) throw error;
      if (events.length > 1) {
        const middle = Math.ceil(events.length / 2);
        await this.#deliver(events.slice(0, middle), refusals);
        await this.#deliver(events.slice(middle), refusals);
        return;
      }
      if (!(error instanceof EventError)) refusals.left -= 1;
      if (refusals.left < 0) {
        throw new CdcAlarm(
          'sink_refuses',
          `The sink refuses more than ${maxRefusedInBatch} events of one batch: ${error.message}`,
          "Mend the sink's tables, then start the process again: it goes on where it stopped.",
        );
      }
      await this.#options.refused(events[0]!, error);
    }
  }
}

/** Equal for the same events in the same order. */
export function batchToken(name: string, events: readonly SinkEvent[]): string {
  const ids = events.map((event) => event.envelope.event_id).join();
  return `${name}:${events.length}:${createHash('sha1').update(ids).digest('hex')}`;
}
