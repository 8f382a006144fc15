import type { Pool } from 'pg';
import { expect, test } from 'vitest';
import { createReadPolicy, type ReadPolicyName, readPolicyNames } from './read-policies.ts';
import type { ReplicaSet, ReplicaState } from './replica-set.ts';

/** A replica at 100 of a primary that stood at 90 a second ago; each look moves it by `step`. */
function setup(name: ReadPolicyName, { step = 0n, healthy = true } = {}) {
  let nowMs = 10_000;
  let looks = 0;
  const state: ReplicaState = {
    name: 'replica-1',
    pool: {} as Pool,
    replayedLsn: 100n,
    timeline: 1,
    healthy,
    lagBytes: 0n,
    lagMs: 0,
  };
  const replicas: ReplicaSet = {
    states: [state],
    reached: (floor) => (state.healthy && state.replayedLsn >= floor ? [state] : []),
    lookAgain: async () => {
      looks += 1;
      nowMs += 10;
      state.replayedLsn += step;
    },
    refresh: async () => {},
    writtenBefore: (atMs) => (atMs >= 9_000 ? 90n : undefined),
  };
  const policy = createReadPolicy(name, { stickyMs: 1_000, waitMs: 100, clock: () => nowMs });
  return {
    choose: (floor: bigint) => policy(floor, replicas),
    state,
    looks: () => looks,
    later: (ms: number) => (nowMs += ms),
  };
}

const chosen = async (target: ReturnType<typeof setup>, floor: bigint) => {
  const { eligible, reason } = await target.choose(floor);
  return `${eligible[0]?.name ?? 'primary'}: ${reason}`;
};

test.each(readPolicyNames)('%s: a read without a write of its own goes to a replica', async (name) => {
  expect(await chosen(setup(name), 0n)).toMatch(/^replica-1/);
});

test.each(readPolicyNames)('%s: without a healthy replica the primary answers', async (name) => {
  expect(await chosen(setup(name, { healthy: false }), 0n)).toBe('primary: replica_unhealthy');
});

test('naive ignores what the session has written', async () => {
  expect(await chosen(setup('naive'), 500n)).toBe('replica-1: any_replica');
});

test('sticky: the primary as long as the write may be young, then any replica', async () => {
  const target = setup('sticky');
  expect(await chosen(target, 95n)).toBe('primary: sticky');
  // Written more than a second ago, though the replica may not have it: the weakness of the policy.
  expect(await chosen(target, 90n)).toBe('replica-1: any_replica');
});

test('sticky: a service that has just started does not know what is old', async () => {
  const target = setup('sticky');
  target.later(-1_000);
  expect(await chosen(target, 1n)).toBe('primary: sticky');
});

test('lsn_floor: looks once more, then the primary', async () => {
  const target = setup('lsn_floor', { step: 5n });
  expect(await chosen(target, 100n)).toBe('replica-1: within_floor');
  expect(target.looks()).toBe(0);
  expect(await chosen(target, 105n)).toBe('replica-1: within_floor');
  expect(await chosen(target, 115n)).toBe('primary: replica_behind');
  expect(target.looks()).toBe(2);
});

test('wait: until the replica is there, but not longer than its time', async () => {
  const coming = setup('wait', { step: 5n });
  expect(await chosen(coming, 120n)).toBe('replica-1: waited');
  expect(coming.looks()).toBe(4);
  const stuck = setup('wait');
  expect(await chosen(stuck, 120n)).toBe('primary: replica_behind');
  expect(stuck.looks()).toBe(10);
});

test('wait: does not wait when no replica is healthy', async () => {
  const target = setup('wait', { healthy: false });
  expect(await chosen(target, 120n)).toBe('primary: replica_unhealthy');
  expect(target.looks()).toBeLessThanOrEqual(1);
});
