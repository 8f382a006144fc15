import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics.ts';
import { decodeConsistencyToken, type Lsn, parseLsn } from './lsn.ts';

export type ReadConsistency = 'primary' | 'replica' | 'session';

export interface ReadRequest {
  /** From X-Read-Consistency; `session` when the caller did not say. */
  consistency: ReadConsistency;
  /** From X-Consistency-Token. */
  token: string | undefined;
}

export interface Replica {
  name: string;
  pool: Pool;
}

interface ReplicaState extends Replica {
  /** Highest replay position that the replica reported. It only ever grows, so an old value is a safe floor. */
  replayedLsn: Lsn;
  healthy: boolean;
  lagBytes: bigint;
  /** The look at the replay position that is under way; reads that need one share it. */
  asking: Promise<void> | undefined;
}

/** Chooses the node for each read, so that a read that carries a consistency token never sees older data. */
export interface ReadRouter {
  choose(request: ReadRequest): Promise<{ pool: Pool; node: string }>;
  /** Asks every node for its position once. Called by the poll, and by tests that do not want to wait for it. */
  refresh(): Promise<void>;
  status(): { name: string; healthy: boolean; lag_bytes: number }[];
  stop(): void;
}

export interface ReadRouterOptions {
  primary: Pool;
  replicas: Replica[];
  /** Replay lag in bytes above which a replica gets no reads. */
  maxLagBytes: number;
  pollMs: number;
  metrics: Metrics;
  logger: Logger;
}

export function createReadRouter(options: ReadRouterOptions): ReadRouter {
  const states: ReplicaState[] = options.replicas.map((replica) => ({
    ...replica,
    replayedLsn: 0n,
    healthy: false,
    lagBytes: 0n,
    asking: undefined,
  }));
  let turn = 0;

  async function choose(request: ReadRequest): Promise<{ pool: Pool; node: string }> {
    const primary = (reason: string) => {
      options.metrics.reads.inc({ node: 'primary', reason });
      return { pool: options.primary, node: 'primary' };
    };
    if (states.length === 0) return primary('no_replica');
    if (request.consistency === 'primary') return primary('asked');
    const floor = readFloor(request);
    if (floor === undefined) return primary('unreadable_token');
    let eligible = reached(floor);
    if (eligible.length === 0) {
      // The poll is some milliseconds old, and a replica is often there by now: one look is cheaper than the primary.
      await Promise.all(states.filter((state) => state.healthy).map(lookAgain));
      eligible = reached(floor);
    }
    const chosen = eligible[turn++ % Math.max(eligible.length, 1)];
    if (!chosen) return primary(states.some((state) => state.healthy) ? 'replica_behind' : 'replica_unhealthy');
    options.metrics.reads.inc({ node: chosen.name, reason: 'within_floor' });
    return { pool: chosen.pool, node: chosen.name };
  }

  function reached(floor: Lsn): ReplicaState[] {
    return states.filter((state) => state.healthy && state.replayedLsn >= floor);
  }

  async function refresh(): Promise<void> {
    const written = await within(healthTimeoutMs, currentLsn(options.primary)).catch(() => undefined);
    await Promise.all(states.map((state) => refreshReplica(state, written)));
  }

  async function refreshReplica(state: ReplicaState, written: Lsn | undefined): Promise<void> {
    const wasHealthy = state.healthy;
    try {
      const replayed = await within(healthTimeoutMs, replayedLsn(state.pool));
      if (replayed > state.replayedLsn) state.replayedLsn = replayed;
      if (written !== undefined) state.lagBytes = written > replayed ? written - replayed : 0n;
      state.healthy = state.lagBytes <= BigInt(options.maxLagBytes);
    } catch {
      state.healthy = false;
      // A replica that comes back may have been rebuilt from an older copy: its former position proves nothing.
      state.replayedLsn = 0n;
    }
    options.metrics.replicaLag.set({ replica: state.name }, Number(state.lagBytes));
    if (wasHealthy !== state.healthy) {
      options.logger.warn({ replica: state.name, healthy: state.healthy }, 'replica changed its health');
    }
  }

  const stopPoll = states.length > 0 ? poll(refresh, options.pollMs) : () => {};
  return {
    choose,
    refresh,
    status: () => states.map(({ name, healthy, lagBytes }) => ({ name, healthy, lag_bytes: Number(lagBytes) })),
    stop: stopPoll,
  };
}

/** A node that does not tell its position within this time gets no reads. */
const healthTimeoutMs = 1_000;
/** Longest time that a read spends on finding out whether a replica has caught up. */
const lookTimeoutMs = 25;

/** Updates the replay position; a replica that does not answer at once keeps the old one. */
async function lookAgain(state: ReplicaState): Promise<void> {
  state.asking ??= replayedLsn(state.pool)
    .then((replayed) => {
      if (replayed > state.replayedLsn) state.replayedLsn = replayed;
    })
    .catch(() => {})
    .finally(() => {
      state.asking = undefined;
    });
  await within(lookTimeoutMs, state.asking).catch(() => {});
}

/** A frozen server neither answers nor breaks the connection, so that only a clock of our own ends the wait. */
async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('the node did not answer in time')), timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** The LSN that the answer must include: 0 where anything will do, undefined where the token is garbage. */
function readFloor(request: ReadRequest): Lsn | undefined {
  if (request.consistency === 'replica' || request.token === undefined) return 0n;
  return decodeConsistencyToken(request.token);
}

/** Repeats `work` with a pause after each end, so that a slow node never piles up requests. */
function poll(work: () => Promise<void>, pauseMs: number): () => void {
  let stopped = false;
  let timer: NodeJS.Timeout;
  const round = async (): Promise<void> => {
    await work();
    if (!stopped) timer = setTimeout(round, pauseMs).unref();
  };
  timer = setTimeout(round, 0).unref();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

async function currentLsn(pool: Pool): Promise<Lsn> {
  const result = await pool.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn');
  return readLsn(result.rows[0]?.lsn);
}

async function replayedLsn(pool: Pool): Promise<Lsn> {
  const result = await pool.query<{ lsn: string | null }>('select pg_last_wal_replay_lsn()::text as lsn');
  return readLsn(result.rows[0]?.lsn ?? undefined);
}

function readLsn(text: string | undefined): Lsn {
  const lsn = text === undefined ? undefined : parseLsn(text);
  if (lsn === undefined) throw new Error('the node did not report a WAL position');
  return lsn;
}
