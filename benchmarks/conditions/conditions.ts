import { z } from 'zod';

const aroundTurn = z.strictObject({ before: z.number(), after: z.number() });
const settings = z.record(z.string(), z.string());

/** What the machine and the service were like while an arm had its turn. */
export const conditions = z.strictObject({
  durationS: z.number(),
  cores: z.int(),
  labCores: z.number().meta({ description: 'cores that the lab used, its generator included: mean over the turn' }),
  outsideCores: z
    .number()
    .nullable()
    .meta({ description: 'cores that other processes used; null where the platform does not tell' }),
  stolenCores: z.number().meta({ description: 'cores that the hypervisor gave to other guests' }),
  cpuPressure: z.number().nullable().meta({ description: 'share of the turn in which a process waited for a core' }),
  ioPressure: z.number().nullable().meta({ description: 'share of the turn in which all work waited for a disk' }),
  spinMs: aroundTurn.meta({ description: 'a fixed piece of arithmetic before and after the turn' }),
  syncMs: aroundTurn.meta({ description: 'fdatasync of 8 KiB before and after the turn' }),
  restarted: z.array(z.string()).meta({ description: 'parts of the lab that were started again during the turn' }),
  clockStepMs: z.number().meta({ description: 'how far the wall clock moved against the monotonic one' }),
  durability: z
    .strictObject({ atStart: settings, atEnd: settings })
    .nullable()
    .meta({ description: "fsync and such in the service's own session; null where no service is measured" }),
});

export type Conditions = z.infer<typeof conditions>;
export type Durability = Record<string, string>;
