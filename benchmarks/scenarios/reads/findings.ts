import { readPolicyNames } from '../../../kernel/postgres/read-policies.ts';
import { number } from '../../report/numbers.ts';
import { type Measurement, validDataOf } from '../../schema/turn.ts';
import type { PolicyReads, ReadsData } from './data.ts';
import { readsTurn } from './metrics.ts';

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

/** Every policy on every arm, over the rounds that count. Stale reads are added up, never averaged. */
export function sumPolicies(measurements: readonly Measurement[]): PolicySum[] {
  return [...Map.groupBy(measurements, ({ arm }) => arm)].flatMap(([arm, own]) => {
    const rounds = validDataOf(readsTurn, own);
    return readPolicyNames.flatMap((policy) => sumUp(arm, policy, rounds) ?? []);
  });
}

function sumUp(arm: string, policy: PolicyReads['policy'], rounds: readonly ReadsData[]): PolicySum | undefined {
  const entries = rounds.flatMap((round) => round.policies.filter((entry) => entry.policy === policy));
  if (entries.length === 0) return undefined;
  const sum = (value: (entry: PolicyReads) => number) => entries.reduce((total, entry) => total + value(entry), 0);
  return {
    arm,
    policy,
    replicas: rounds[0]!.replicas,
    delayMs: rounds[0]!.replayDelayMs,
    reads: sum(({ reads }) => reads),
    stale: sum(({ stale }) => stale),
    onReplicas: sum(({ reads, byNode }) => reads - (byNode.primary ?? 0)),
    p99Ms: Math.max(...entries.map(({ latency }) => latency.p99Ms)),
  };
}

function answer(policies: readonly PolicySum[]): string[] {
  const naive = policies.find(({ policy }) => policy === 'naive');
  const floor = policies.find(({ policy }) => policy === 'lsn_floor');
  if (!naive || !floor) return [];
  return [
    `With replicas ${floor.delayMs} ms behind, ${number(naive.stale)} of ${number(naive.reads)} naive reads miss the ` +
      `session’s own write; with an LSN floor ${number(floor.stale)} of ${number(floor.reads)}, and replicas still answer ` +
      `${share(floor)} of them.`,
  ];
}

function describePolicy(sum: PolicySum): string {
  const { arm, policy, replicas, reads, stale, p99Ms } = sum;
  if (replicas === 0) return `Reads on ${arm}: there is no replica; ${number(reads)} reads came from the primary.`;
  const counts = `${number(stale)} of ${number(reads)} reads stale, ${share(sum)} from replicas`;
  return `Reads on ${arm} by ${policy}: ${counts}, p99 at most ${p99Ms.toFixed(1)} ms.`;
}

function share({ onReplicas, reads }: PolicySum): string {
  return `${Math.round((100 * onReplicas) / Math.max(reads, 1))} %`;
}
