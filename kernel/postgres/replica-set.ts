import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics.ts';
import { within } from '../wait.ts';
import { type Lsn, type Position, parseLsn, splitPosition } from './lsn.ts';
import { createWrittenHistory } from './written-history.ts';

export interface Replica {
  name: string;
  pool: Pool;
}

/** What is known about a replica, at most one poll old. */
export interface ReplicaState extends Replica {
  /** Highest replay position that the replica reported. It only ever grows, so an old value is a safe floor. */
  replayedLsn: Lsn;
  /** On which it has what it has replayed, or an older one. */
  timeline: number;
  healthy: boolean;
  lagBytes: bigint;
  /** Age of the oldest write that the replica has not replayed; 0 when it has all of them. */
  lagMs: number;
}

export interface ReplicaSetOptions {
  primary: Pool;
  replicas: readonly Replica[];
  /** Replay lag in bytes above which a replica gets no reads. */
  maxLagBytes: number;
  /** Replay lag in time above which a replica gets no reads. */
  maxLagMs: number;
  /** Monotonic, in milliseconds. */
  clock: () => number;
  metrics: Metrics;
  logger: Logger;
}

/** The replicas with their positions: who is there, who is close enough, who has got how far. */
export interface ReplicaSet {
  readonly states: readonly ReplicaState[];
  /** The healthy ones that have replayed `floor`, and not something else that lay at the same place. */
  reached(floor: Position): ReplicaState[];
  /** Asks the healthy ones for their position now; one that does not answer at once keeps its old one. */
  lookAgain(): Promise<void>;
  /** Asks every node once. */
  refresh(): Promise<void>;
  /** The primary's position at the given moment or, where that is not known, at an earlier one. */
  writtenBefore(atMs: number): Lsn | undefined;
}

/** A node that does not tell its position within this time gets no reads. */
const healthTimeoutMs = 1_000;
/** Longest time that a read spends on finding out whether a replica has caught up. */
const lookTimeoutMs = 25;

export function createReplicaSet(options: ReplicaSetOptions): ReplicaSet {
  const { primary, maxLagMs, clock } = options;
  const history = createWrittenHistory(Math.max(maxLagMs, 60_000));
  const nodes = options.replicas.map((replica) => new ReplicaNode(replica, options));
  const states = nodes.map(({ state }) => state);
  return {
    states,
    reached: (floor) => {
      const { timeline, lsn } = splitPosition(floor);
      return states.filter((state) => state.healthy && state.timeline >= timeline && state.replayedLsn >= lsn);
    },
    lookAgain: async () => {
      await Promise.all(nodes.filter(({ state }) => state.healthy).map((node) => node.look()));
    },
    refresh: async () => {
      const written = await within(healthTimeoutMs, currentLsn(primary)).catch(() => undefined);
      if (written !== undefined) history.add(clock(), written);
      const behindMs = (lsn: Lsn): number => history.behindMs(lsn, clock());
      await Promise.all(nodes.map((node) => node.refresh(written, behindMs)));
    },
    writtenBefore: (atMs) => history.at(atMs),
  };
}

/** One replica: what is known of it, and the look at it that is under way. */
class ReplicaNode {
  readonly state: ReplicaState;
  readonly #options: Pick<ReplicaSetOptions, 'maxLagBytes' | 'maxLagMs' | 'metrics' | 'logger'>;
  /** The last position that it told, kept when it goes away, so that its lag is seen to grow. */
  #lastSeen: Lsn | undefined;
  /** A former replica that was promoted, or a primary that is listed because it may become a replica one day. */
  #takesWrites = false;
  /** The look that is under way; reads that need one share it. */
  #asking: Promise<void> | undefined;

  constructor(replica: Replica, options: ReplicaSetOptions) {
    this.#options = options;
    this.state = { ...replica, replayedLsn: 0n, timeline: 0, healthy: false, lagBytes: 0n, lagMs: 0 };
  }

  /** Asks for the position, for as long as a read may wait. What comes later still counts. */
  async look(): Promise<void> {
    this.#asking ??= replayPosition(this.state.pool)
      .then((replayed) => this.#moveOn(replayed))
      .catch(() => {})
      .finally(() => {
        this.#asking = undefined;
      });
    await within(lookTimeoutMs, this.#asking).catch(() => {});
  }

  /** @param written The primary's position, where that is known. */
  async refresh(written: Lsn | undefined, behindMs: (lsn: Lsn) => number): Promise<void> {
    const { state } = this;
    const { maxLagBytes, maxLagMs, logger } = this.#options;
    const wasHealthy = state.healthy;
    const answered = await this.#ask();
    if (written !== undefined && this.#lastSeen !== undefined) {
      state.lagBytes = written > this.#lastSeen ? written - this.#lastSeen : 0n;
      state.lagMs = behindMs(this.#lastSeen);
    }
    state.healthy = answered && state.lagBytes <= BigInt(maxLagBytes) && state.lagMs <= maxLagMs;
    this.#exportState();
    if (wasHealthy !== state.healthy) {
      const { name, healthy, lagBytes, lagMs } = state;
      logger.warn({ replica: name, healthy, lagBytes: Number(lagBytes), lagMs }, 'replica changed its health');
    }
  }

  /** @returns whether it answered as a replica. */
  async #ask(): Promise<boolean> {
    const { state } = this;
    this.#takesWrites = false;
    try {
      this.#moveOn(await within(healthTimeoutMs, replayPosition(state.pool)));
      return true;
    } catch (error) {
      this.#takesWrites = error instanceof TakesWrites;
      // A replica that comes back may have been rebuilt from an older copy: its former position proves nothing.
      state.replayedLsn = 0n;
      state.timeline = 0;
      return false;
    }
  }

  #moveOn({ lsn, timeline }: ReplayPosition): void {
    this.#lastSeen = lsn;
    if (lsn > this.state.replayedLsn) this.state.replayedLsn = lsn;
    if (timeline > this.state.timeline) this.state.timeline = timeline;
  }

  /** One that takes writes has no lag and is not ill: an alert on its series would be false. */
  #exportState(): void {
    const { metrics } = this.#options;
    const labels = { replica: this.state.name };
    const values = [
      [metrics.replicaLag, Number(this.state.lagBytes)],
      [metrics.replicaLagSeconds, this.state.lagMs / 1_000],
      [metrics.replicaHealthy, this.state.healthy ? 1 : 0],
    ] as const;
    for (const [gauge, value] of values) {
      if (this.#takesWrites) gauge.remove(labels);
      else gauge.set(labels, value);
    }
  }
}

async function currentLsn(pool: Pool): Promise<Lsn> {
  const result = await pool.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn');
  return readLsn(result.rows[0]?.lsn);
}

/** A node that was promoted still tells how far it once replayed. It is no replica any more, and has no position. */
class TakesWrites extends Error {}

interface ReplayPosition {
  lsn: Lsn;
  timeline: number;
}

/** @throws TakesWrites */
async function replayPosition(pool: Pool): Promise<ReplayPosition> {
  const { rows } = await pool.query<{ lsn: string; timeline: number }>(
    'select lsn::text, timeline from replay_position()',
  );
  const [position] = rows;
  if (!position) throw new TakesWrites('the node is no replica');
  return { lsn: readLsn(position.lsn), timeline: position.timeline };
}

function readLsn(text: string | undefined): Lsn {
  const lsn = text === undefined ? undefined : parseLsn(text);
  if (lsn === undefined) throw new Error('the node did not report a WAL position');
  return lsn;
}
