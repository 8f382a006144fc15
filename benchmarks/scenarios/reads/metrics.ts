import type { TurnKind } from '../../schema/turn.ts';
import { type ReadsData, readsData } from './data.ts';

export const readsTurn: TurnKind<ReadsData> = {
  name: 'reads',
  data: readsData,
  metrics: ({ policies }) =>
    Object.fromEntries(
      policies.flatMap(({ policy, stale, reads, replicaShare, rate, latency }) => [
        [`reads/${policy}/staleShare`, stale / Math.max(reads, 1)],
        [`reads/${policy}/replicaShare`, replicaShare],
        [`reads/${policy}/rate`, rate],
        [`reads/${policy}/p50Ms`, latency.p50Ms],
        [`reads/${policy}/p99Ms`, latency.p99Ms],
      ]),
    ),
};
