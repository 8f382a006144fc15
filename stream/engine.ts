/** What `cdc/main.ts` runs: one of the two ways from the outbox to the sink. */
export interface Engine {
  /**
   * Works until the signal aborts, then sinks what it has in hand and resolves. Mends by itself what may pass.
   * @throws CdcAlarm when going on would lose events.
   */
  run(signal: AbortSignal): Promise<void>;
  status(): EngineStatus;
}

export interface EngineStatus {
  /** `starting`, `loading`, `streaming`, `waiting` (for a server to come back), `stopped`. */
  state: EngineState;
  /** Commit time of the oldest event that was read and is not in the sink, in Unix ms. */
  oldestPendingMs?: number | undefined;
  /** WAL that the source keeps because it is not confirmed; undefined where the engine has no slot of its own. */
  lagBytes?: number | undefined;
  walStatus?: string | null | undefined;
  confirmedLsn?: string | undefined;
  /** Messages of the topics that are not sunk yet, by `topic/partition`. */
  consumerLag?: Record<string, number> | undefined;
}

export type EngineState = 'starting' | 'loading' | 'streaming' | 'waiting' | 'stopped';
