import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics.ts';
import { repeat } from '../repeat.ts';
import { decodeConsistencyToken, type Position, splitPosition } from './lsn.ts';
import type { ServicePool } from './pool.ts';
import { createReadPolicy, type ReadPolicyName, type ReadReason } from './read-policies.ts';
import { createReplicaSet, type Replica } from './replica-set.ts';

export type { Replica } from './replica-set.ts';

export type ReadConsistency = 'primary' | 'replica' | 'session';

export interface ReadRequest {
  /** From X-Read-Consistency; `session` when the caller did not say. */
  consistency: ReadConsistency;
  /** From X-Consistency-Token. */
  token: string | undefined;
}

export interface ChosenNode {
  pool: Pool;
  node: string;
  reason: ReadReason;
}

/** Chooses the node for each read, by the configured policy. */
export interface ReadRouter {
  choose(request: ReadRequest): Promise<ChosenNode>;
  /** The primary, for a read that failed on the replica that was chosen for it. */
  chooseInstead(request: ReadRequest): Promise<ChosenNode>;
  /** Asks every node for its position once. Called by the poll, and by tests that do not want to wait for it. */
  refresh(): Promise<void>;
  status(): { name: string; healthy: boolean; lag_bytes: number; lag_seconds: number }[];
  stop(): void;
}

export interface ReadRouterOptions {
  primary: Pool & Partial<Pick<ServicePool, 'follow'>>;
  replicas: Replica[];
  /** How reads that carry a consistency token are treated; `lsn_floor` when left out. */
  policy?: ReadPolicyName;
  /** See ReadPolicyOptions. */
  stickyMs?: number;
  waitMs?: number;
  /** Replay lag in bytes above which a replica gets no reads. */
  maxLagBytes: number;
  /** Replay lag in time above which a replica gets no reads. */
  maxLagMs?: number;
  pollMs: number;
  /** Monotonic, in milliseconds. */
  clock?: () => number;
  metrics: Metrics;
  logger: Logger;
}

export function createReadRouter(options: ReadRouterOptions): ReadRouter {
  const { primary, policy: policyName = 'lsn_floor', clock = () => performance.now(), metrics, logger } = options;
  const { maxLagBytes, maxLagMs = 30_000, stickyMs = 1_000, waitMs = 100 } = options;
  const replicas = createReplicaSet({
    primary,
    replicas: options.replicas,
    maxLagBytes,
    maxLagMs,
    clock,
    metrics,
    logger,
  });
  const policy = createReadPolicy(policyName, { stickyMs, waitMs, clock });
  const stopping = new AbortController();
  if (replicas.states.length > 0) void repeat(replicas.refresh, { pauseMs: options.pollMs, signal: stopping.signal });
  let turn = 0;

  function answer(node: string, pool: Pool, reason: ReadReason): ChosenNode {
    metrics.reads.inc({ node, reason });
    return { pool, node, reason };
  }

  async function choose(request: ReadRequest): Promise<ChosenNode> {
    const written = await follow(primary, request);
    // Before the others, and on one server too: a caller that lost its token should hear of it.
    if (written === undefined && request.consistency === 'session') {
      return answer('primary', primary, 'unreadable_token');
    }
    if (replicas.states.length === 0) return answer('primary', primary, 'no_replica');
    if (request.consistency === 'primary') return answer('primary', primary, 'asked');
    const floor = request.consistency === 'replica' ? 0n : (written ?? 0n);
    const { eligible, reason } = await policy(floor, replicas);
    const chosen = eligible[turn++ % Math.max(eligible.length, 1)];
    return chosen ? answer(chosen.name, chosen.pool, reason) : answer('primary', primary, reason);
  }

  async function chooseInstead(request: ReadRequest): Promise<ChosenNode> {
    await follow(primary, request);
    return answer('primary', primary, 'replica_failed');
  }

  return {
    choose,
    chooseInstead,
    refresh: replicas.refresh,
    status: () =>
      replicas.states.map(({ name, healthy, lagBytes, lagMs }) => ({
        name,
        healthy,
        lag_bytes: Number(lagBytes),
        lag_seconds: lagMs / 1_000,
      })),
    stop: () => stopping.abort(),
  };
}

/**
 * Lets the pool look for a new primary where the token names a newer timeline than is known.
 * @returns where the caller's last write ended: 0 without a token, undefined where the token is garbage
 */
async function follow(primary: ReadRouterOptions['primary'], { token }: ReadRequest): Promise<Position | undefined> {
  const written = token === undefined ? 0n : decodeConsistencyToken(token);
  if (written) await primary.follow?.(splitPosition(written).timeline);
  return written;
}
