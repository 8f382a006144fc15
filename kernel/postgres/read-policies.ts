import { setTimeout as delay } from 'node:timers/promises';
import { type Position, splitPosition } from './lsn.ts';
import type { ReplicaSet, ReplicaState } from './replica-set.ts';

export const readPolicyNames = ['naive', 'sticky', 'lsn_floor', 'wait'] as const;
export type ReadPolicyName = (typeof readPolicyNames)[number];

/** Why a read went where it went: a label of the metric `reads_total`, and the header X-Read-Reason of the answer. */
export const readReasons = [
  'no_replica',
  'asked',
  'unreadable_token',
  'any_replica',
  'within_floor',
  'waited',
  'sticky',
  'replica_behind',
  'replica_unhealthy',
  'replica_failed',
] as const;
export type ReadReason = (typeof readReasons)[number];

/** The replicas among which the router may take turns, and why; without any the primary answers. */
export interface PolicyChoice {
  eligible: readonly ReplicaState[];
  reason: ReadReason;
}

/** Which replicas may answer a read that follows the write at `floor`; 0 for a read that follows none. */
export type ReadPolicy = (floor: Position, replicas: ReplicaSet) => Promise<PolicyChoice>;

export interface ReadPolicyOptions {
  /** `sticky`: how long after its own write a session reads from the primary. */
  stickyMs: number;
  /** `wait`: longest time that a read waits for a replica. */
  waitMs: number;
  /** Monotonic, in milliseconds. */
  clock: () => number;
}

/** `wait` looks this often. */
const waitPauseMs = 5;

/** The policies by their names in READ_POLICY. */
export function createReadPolicy(name: ReadPolicyName, options: ReadPolicyOptions): ReadPolicy {
  switch (name) {
    case 'naive':
      return naive;
    case 'sticky':
      return sticky(options);
    case 'lsn_floor':
      return lsnFloor;
    case 'wait':
      return wait(options);
  }
}

/** Any replica, whatever the session has written: what one gets without thinking. It is here to be measured. */
async function naive(_floor: Position, replicas: ReplicaSet): Promise<PolicyChoice> {
  return choice(replicas, 0n, 'any_replica');
}

/**
 * The primary for a while after the session's own write, then any replica: right as long as no replica is further
 * behind than that. A write is younger than `stickyMs` when the primary had not written its position by then, so no
 * table of sessions is needed, and several instances of a service agree.
 */
function sticky({ stickyMs, clock }: ReadPolicyOptions): ReadPolicy {
  return async (floor, replicas) => {
    if (floor > 0n) {
      const settled = replicas.writtenBefore(clock() - stickyMs);
      if (settled === undefined || settled < splitPosition(floor).lsn) return { eligible: [], reason: 'sticky' };
    }
    return choice(replicas, 0n, 'any_replica');
  };
}

/** A replica that is known to have replayed the session's write. */
async function lsnFloor(floor: Position, replicas: ReplicaSet): Promise<PolicyChoice> {
  if (replicas.reached(floor).length === 0) {
    // The poll is some milliseconds old, and a replica is often there by now: one look is cheaper than the primary.
    await replicas.lookAgain();
  }
  return choice(replicas, floor, 'within_floor');
}

/** As `lsnFloor`, but gives the replicas time: takes load off the primary for the price of latency. */
function wait({ waitMs, clock }: ReadPolicyOptions): ReadPolicy {
  return async (floor, replicas) => {
    const until = clock() + waitMs;
    if (replicas.reached(floor).length > 0) return choice(replicas, floor, 'within_floor');
    await replicas.lookAgain();
    while (replicas.reached(floor).length === 0 && clock() < until && anyHealthy(replicas)) {
      await delay(waitPauseMs);
      await replicas.lookAgain();
    }
    return choice(replicas, floor, 'waited');
  };
}

function choice(replicas: ReplicaSet, floor: Position, reason: ReadReason): PolicyChoice {
  const eligible = replicas.reached(floor);
  if (eligible.length > 0) return { eligible, reason };
  return { eligible, reason: anyHealthy(replicas) ? 'replica_behind' : 'replica_unhealthy' };
}

function anyHealthy(replicas: ReplicaSet): boolean {
  return replicas.states.some((state) => state.healthy);
}
