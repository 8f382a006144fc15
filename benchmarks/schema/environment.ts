import { z } from 'zod';

/** The machine of a run, and the code that ran on it. */
export const environment = z.strictObject({
  commit: z.string().nullable(),
  platform: z.string(),
  cpu: z.string(),
  cores: z.int(),
  memoryBytes: z.int(),
  node: z.string(),
  loadAverage: z.number().meta({ description: 'over one minute; before the run, in older results behind it' }),
  loadAverageAfter: z.number().optional(),
  fileSystem: z.string().optional(),
  device: z.string().nullable().optional(),
  syncMs: z.number().optional().meta({ description: 'fdatasync of 8 KiB before the run, median' }),
  virtualisation: z.string().optional(),
});

export type Environment = z.infer<typeof environment>;
