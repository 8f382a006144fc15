import { z } from 'zod';

/** The machine of a run, and the code that ran on it. */
export const environment = z.strictObject({
  commit: z.string().nullable(),
  platform: z.string(),
  cpu: z.string(),
  cores: z.int(),
  memoryBytes: z.int(),
  node: z.string(),
  loadAverage: z.number(),
});

export type Environment = z.infer<typeof environment>;
