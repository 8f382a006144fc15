/** A stream of random numbers that follows from its seed alone, the same in Node and in k6. */
export interface Random {
  /** Uniform in [0, 1), 32 bits. */
  next(): number;
  /** Uniform integer in 0 … bound − 1. */
  below(bound: number): number;
}

/**
 * sfc32, "small fast counting" with 128 bits of state (Chris Doty-Humphrey, PractRand, public domain:
 * https://pracrand.sourceforge.net/RNG_engines.txt). `stream` selects independent streams of one seed, as for shards.
 */
export function createRandom(seed: number, stream = 0): Random {
  let a = spread(seed);
  let b = spread(seed ^ 0x9e3779b9);
  let c = spread(stream + 0x243f6a88);
  let counter = 1;
  const next32 = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  // The first numbers of similar seeds resemble one another until the state has been mixed.
  for (let round = 0; round < 16; round++) next32();
  const next = () => next32() / 4_294_967_296;
  return { next, below: (bound) => Math.floor(next() * bound) };
}

/** Spreads a small integer over 32 bits (the finalizer of MurmurHash3, public domain, Austin Appleby). */
function spread(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** Ranks 0 … count − 1, rank r drawn in proportion to 1 / (r + 1)^exponent; exponent 0 is uniform. */
export function createZipf(count: number, exponent: number): (random: Random) => number {
  if (exponent === 0) return (random) => random.below(count);
  const cumulative = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank++) {
    sum += 1 / (rank + 1) ** exponent;
    cumulative[rank] = sum;
  }
  return (random) => {
    const wanted = random.next() * sum;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (cumulative[middle]! > wanted) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

/** Draws one of the names in proportion to its weight, from a number in [0, 1). @throws Error where all weigh nothing */
export function weighted<Name extends string>(weights: Partial<Record<Name, number>>): (draw: number) => Name {
  const entries = Object.entries(weights) as [Name, number][];
  const total = entries.reduce((sum, [, weight]) => sum + weight, 0);
  if (!(total > 0)) throw new Error('providers need a weight above 0');
  return (draw) => {
    let rest = draw * total;
    for (const [provider, weight] of entries) {
      rest -= weight;
      if (rest < 0) return provider;
    }
    return entries.at(-1)![0];
  };
}
