import { z } from 'zod';
import { readPolicyNames } from '../../../kernel/postgres/read-policies.ts';
import { percentiles } from '../../schema/load-phase.ts';

export type ReadsData = z.infer<typeof readsData>;
export type PolicyReads = ReadsData['policies'][number];

export const readsData = z.strictObject({
  replicas: z.int(),
  replayDelayMs: z
    .int()
    .meta({ description: 'recovery_min_apply_delay on every replica: the lag that the reads meet' }),
  policies: z.array(
    z.strictObject({
      policy: z.enum(readPolicyNames),
      reads: z.int(),
      pointReads: z.int(),
      listReads: z.int(),
      writes: z.int(),
      failed: z.int().meta({ description: 'reads and writes without an answer that counts' }),
      stale: z.int().meta({ description: 'reads that did not show a write that the same session had made before' }),
      byNode: z.record(z.string(), z.int()).meta({ description: 'reads by the node that answered' }),
      replicaShare: z.number().meta({ description: 'share of the reads that replicas took off the primary' }),
      rate: z.number().meta({ description: 'reads a second in a closed loop: no capacity, only a comparison' }),
      latency: percentiles.meta({ description: 'of reads, from being sent: sessions wait for their own writes' }),
    }),
  ),
});
