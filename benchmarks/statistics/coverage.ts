import { createRandom, type Random } from '../../simulator/workload/random.ts';
import { fewestRoundsForInterval, pairedRatio } from './paired-ratio.ts';

/** How much the ratios of single rounds scatter, each with the same standard deviation in the logarithm. */
export const noises: Readonly<Record<string, (random: Random) => number>> = {
  normal,
  // As of a machine that is disturbed in one round of ten.
  disturbed: (random) => normal(random) * (random.next() < 0.1 ? 3 : 1),
  // Slow rounds are further from the middle than fast ones.
  skewed: (random) => -Math.log(1 - random.next()) - 1,
};

/** Box and Muller. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

export interface Coverage {
  noise: string;
  rounds: number;
  /** Share of the simulated intervals that hold the true ratio. */
  coverage: number;
}

/**
 * Simulates comparisons whose true ratio is known. Each round has a speed of its own, which both arms share, and a noise
 * of each arm.
 */
export function simulateCoverage(noise: string, rounds: number, comparisons: number, seed = 1): Coverage {
  const random = createRandom(seed, rounds);
  const draw = noises[noise]!;
  const truth = 0.9;
  let held = 0;
  for (let one = 0; one < comparisons; one++) {
    const values = new Map<number, number>();
    const control = new Map<number, number>();
    for (let round = 0; round < rounds; round++) {
      const speed = Math.exp(0.2 * normal(random));
      control.set(round, speed * Math.exp(0.05 * draw(random)));
      values.set(round, truth * speed * Math.exp(0.05 * draw(random)));
    }
    const { low, high } = pairedRatio(values, control);
    if (low <= truth && truth <= high) held += 1;
  }
  return { noise, rounds, coverage: held / comparisons };
}

/** `node benchmarks/statistics/coverage.ts` prints the table of decision 21. */
if (import.meta.main) {
  for (const noise of Object.keys(noises)) {
    const cells = [fewestRoundsForInterval, 7, 10, 20].map((rounds) => {
      const { coverage } = simulateCoverage(noise, rounds, 40_000);
      return `${rounds} rounds ${(coverage * 100).toFixed(1)} %`;
    });
    process.stdout.write(`${noise.padEnd(10)} ${cells.join(', ')}\n`);
  }
}
