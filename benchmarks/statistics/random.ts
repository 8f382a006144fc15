import { createRandom } from '../workload/random.ts';

/** Uniform numbers in [0, 1) that follow from the seed, as a plain function: what resampling and schedules ask for. */
export function seededRandom(seed: number): () => number {
  return createRandom(seed).next;
}
