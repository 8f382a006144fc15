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
  const { primary, maxLagBytes, maxLagMs, clock, metrics, logger } = options;
  const history = createWrittenHistory(Math.max(maxLagMs, 60_000));
  const nodes = options.replicas.map((replica) => ({
    state: { ...replica, replayedLsn: 0n, timeline: 0, healthy: false, lagBytes: 0n, lagMs: 0 } as ReplicaState,
    /** The last position that it told, kept when it goes away, so that its lag is seen to grow. */
    lastSeen: undefined as Lsn | undefined,
    /** A former replica that was promoted, or a primary that is listed because it may become a replica one day. */
    takesWrites: false,
    /** The look that is under way; reads that need one share it. */
    asking: undefined as Promise<void> | undefined,
  }));
  type Node = (typeof nodes)[number];

  async function look(node: Node): Promise<void> {
    node.asking ??= replayPosition(node.state.pool)
      .then((replayed) => moveOn(node, replayed))
      .catch(() => {})
      .finally(() => {
        node.asking = undefined;
      });
    await within(lookTimeoutMs, node.asking).catch(() => {});
  }

  function moveOn(node: Node, { lsn, timeline }: ReplayPosition): void {
    node.lastSeen = lsn;
    if (lsn > node.state.replayedLsn) node.state.replayedLsn = lsn;
    if (timeline > node.state.timeline) node.state.timeline = timeline;
  }

  async function refresh(): Promise<void> {
    const written = await within(healthTimeoutMs, currentLsn(primary)).catch(() => undefined);
    if (written !== undefined) history.add(clock(), written);
    await Promise.all(nodes.map((node) => refreshNode(node, written)));
  }

  async function refreshNode(node: Node, written: Lsn | undefined): Promise<void> {
    const { state } = node;
    const wasHealthy = state.healthy;
    let answered = true;
    node.takesWrites = false;
    try {
      moveOn(node, await within(healthTimeoutMs, replayPosition(state.pool)));
    } catch (error) {
      answered = false;
      node.takesWrites = error instanceof TakesWrites;
      // A replica that comes back may have been rebuilt from an older copy: its former position proves nothing.
      state.replayedLsn = 0n;
      state.timeline = 0;
    }
    if (written !== undefined && node.lastSeen !== undefined) {
      state.lagBytes = written > node.lastSeen ? written - node.lastSeen : 0n;
      state.lagMs = history.behindMs(node.lastSeen, clock());
    }
    state.healthy = answered && state.lagBytes <= BigInt(maxLagBytes) && state.lagMs <= maxLagMs;
    exportState(node);
    if (wasHealthy !== state.healthy) {
      const { name, healthy, lagBytes, lagMs } = state;
      logger.warn({ replica: name, healthy, lagBytes: Number(lagBytes), lagMs }, 'replica changed its health');
    }
  }

  /** One that takes writes has no lag and is not ill: an alert on its series would be false. */
  function exportState({ state, takesWrites }: Node): void {
    const labels = { replica: state.name };
    const values = [
      [metrics.replicaLag, Number(state.lagBytes)],
      [metrics.replicaLagSeconds, state.lagMs / 1_000],
      [metrics.replicaHealthy, state.healthy ? 1 : 0],
    ] as const;
    for (const [gauge, value] of values) {
      if (takesWrites) gauge.remove(labels);
      else gauge.set(labels, value);
    }
  }

  const states = nodes.map(({ state }) => state);
  return {
    states,
    reached: (floor) => {
      const { timeline, lsn } = splitPosition(floor);
      return states.filter((state) => state.healthy && state.timeline >= timeline && state.replayedLsn >= lsn);
    },
    lookAgain: async () => {
      await Promise.all(nodes.filter(({ state }) => state.healthy).map(look));
    },
    refresh,
    writtenBefore: (atMs) => history.at(atMs),
  };
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
