import { readPolicyNames } from '../../../kernel/postgres/read-policies.ts';
import type { Measurement } from '../../schema/run.ts';
import type { PolicyReads, ReadsData } from './data.ts';

/** Why a round must not count. */
export function judgeReads({ replicas, policies }: ReadsData): string[] {
  const reasons: string[] = [];
  for (const { policy, stale, failed, reads, writes } of policies) {
    if (failed > (reads + writes) * 0.01) reasons.push(`${failed} requests of the policy ${policy} failed`);
    if (stale > 0 && (policy === 'lsn_floor' || policy === 'wait')) reasons.push(`${policy} had ${stale} stale reads`);
    // A lag that nobody meets proves nothing about those who avoid it.
    if (stale === 0 && policy === 'naive' && replicas > 0)
      reasons.push('the lag was not felt: naive had no stale read');
  }
  return reasons;
}

/** The numbers of one round by metric. */
export function readsMetrics(data: ReadsData): Record<string, number> {
  return Object.fromEntries(
    data.policies.flatMap(({ policy, stale, reads, replicaShare, rate, latency }) => [
      [`reads/${policy}/staleShare`, stale / Math.max(reads, 1)],
      [`reads/${policy}/replicaShare`, replicaShare],
      [`reads/${policy}/rate`, rate],
      [`reads/${policy}/p50Ms`, latency.p50Ms],
      [`reads/${policy}/p99Ms`, latency.p99Ms],
    ]),
  );
}

/** One policy on one arm, over all valid rounds. */
export interface PolicySum {
  arm: string;
  policy: PolicyReads['policy'];
  replicas: number;
  delayMs: number;
  reads: number;
  stale: number;
  onReplicas: number;
  p99Ms: number;
}

/**
 * What the rounds say together: for each arm the answer in one sentence, then a sentence for each policy.
 */
export function readsFindings(measurements: readonly Measurement[]): string[] {
  const byArm = Map.groupBy(sumPolicies(measurements), ({ arm }) => arm);
  return [...byArm.values()].flatMap((policies) => [...answer(policies), ...policies.map(describePolicy)]);
}

/** Every policy on every arm. Stale reads are added up, never averaged. */
export function sumPolicies(measurements: readonly Measurement[]): PolicySum[] {
  const rounds = measurements.flatMap((entry) =>
    entry.scenario === 'reads' && entry.data && entry.verdict === 'VALID' ? [{ arm: entry.arm, data: entry.data }] : [],
  );
  return [...Map.groupBy(rounds, ({ arm }) => arm)].flatMap(([arm, own]) =>
    readPolicyNames.flatMap(
      (policy) =>
        sumUp(
          arm,
          policy,
          own.map(({ data }) => data),
        ) ?? [],
    ),
  );
}

function sumUp(arm: string, policy: PolicyReads['policy'], rounds: readonly ReadsData[]): PolicySum | undefined {
  const entries = rounds.flatMap((round) => round.policies.filter((entry) => entry.policy === policy));
  if (entries.length === 0) return undefined;
  const sum = (value: (entry: PolicyReads) => number) => entries.reduce((total, entry) => total + value(entry), 0);
  return {
    ...{ arm, policy, replicas: rounds[0]!.replicas, delayMs: rounds[0]!.replayDelayMs },
    ...{ reads: sum(({ reads }) => reads), stale: sum(({ stale }) => stale) },
    onReplicas: sum(({ reads, byNode }) => reads - (byNode.primary ?? 0)),
    p99Ms: Math.max(...entries.map(({ latency }) => latency.p99Ms)),
  };
}

function answer(policies: readonly PolicySum[]): string[] {
  const naive = policies.find(({ policy }) => policy === 'naive');
  const floor = policies.find(({ policy }) => policy === 'lsn_floor');
  if (!naive || !floor) return [];
  return [
    `With replicas ${floor.delayMs} ms behind, ${whole(naive.stale)} of ${whole(naive.reads)} naive reads miss the ` +
      `session’s own write; with an LSN floor ${whole(floor.stale)} of ${whole(floor.reads)}, and replicas still answer ` +
      `${share(floor)} of them.`,
  ];
}

function describePolicy(sum: PolicySum): string {
  const { arm, policy, replicas, reads, stale, p99Ms } = sum;
  if (replicas === 0) return `Reads on ${arm}: there is no replica; ${whole(reads)} reads came from the primary.`;
  const counts = `${whole(stale)} of ${whole(reads)} reads stale, ${share(sum)} from replicas`;
  return `Reads on ${arm} by ${policy}: ${counts}, p99 at most ${p99Ms.toFixed(1)} ms.`;
}

function share({ onReplicas, reads }: PolicySum): string {
  return `${Math.round((100 * onReplicas) / Math.max(reads, 1))} %`;
}

function whole(value: number): string {
  return value.toLocaleString('en-US');
}
