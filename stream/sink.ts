import type { EnvelopeText, StageTimes } from '../kernel/contract/envelope.ts';

export interface SinkEvent {
  envelope: EnvelopeText;
  times: StageTimes;
}

/** Where both CDC engines deliver. */
export interface Sink {
  /**
   * Resolves once the store has the whole batch durably; only then may the source forget it. Repeats by itself what may
   * pass (connection lost, server away, time-out), with back-off, until `signal` aborts.
   * @param token Equal for equal content of the batch: a repeated delivery under the same token is stored once.
   * @throws SinkError for what no repetition can cure; the signal's reason when it aborts.
   */
  write(batch: readonly SinkEvent[], token: string, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** The store refused a batch, and would refuse it again. */
export class SinkError extends Error {}

/** An event of the batch is at fault for certain, since it was never sent to the store. */
export class EventError extends SinkError {}
