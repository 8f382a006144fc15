import type { ReadsData } from './data.ts';

/** A share of stale reads is one of so many at least. */
const fewestReads = 100;

/** Why a round must not count. */
export function judgeReads({ replicas, policies }: ReadsData): string[] {
  const reasons: string[] = [];
  for (const { policy, stale, failed, reads, writes } of policies) {
    if (reads < fewestReads) reasons.push(`${policy}: ${reads} reads are too few: ${fewestReads} at least`);
    if (failed > (reads + writes) * 0.01) reasons.push(`${failed} requests of the policy ${policy} failed`);
    if (stale > 0 && (policy === 'lsn_floor' || policy === 'wait')) reasons.push(`${policy} had ${stale} stale reads`);
    // A lag that no read meets proves nothing about the policies that avoid it.
    if (stale === 0 && policy === 'naive' && replicas > 0)
      reasons.push('the lag was not felt: naive had no stale read');
  }
  return reasons;
}
