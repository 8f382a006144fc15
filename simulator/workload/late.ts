import type { Random } from './random.ts';

export interface LateOptions {
  /** Share of all deliveries that come late. */
  late: number;
  /** Share of all deliveries that are updates: of these some are held back. */
  updates: number;
  spacing: number;
  /** Deliveries in all, where that is known. */
  count: number | undefined;
}

/** Holds deliveries back until a newer one of the same order has come. */
export class Late<Delivery> {
  /** Whether it is known how many deliveries there are, and so that all that is held back has its turn. */
  readonly isBounded: boolean;
  readonly #options: LateOptions;
  readonly #holdShare: number;
  readonly #held: { dueAt: number; delivery: Delivery }[] = [];
  /** How many more should have been held back by now. */
  #owed = 0;

  constructor(options: LateOptions) {
    this.#options = options;
    this.#holdShare = options.late === 0 ? 0 : options.late / options.updates;
    this.isBounded = options.count !== undefined;
  }

  /** Hears of every delivery. */
  count(): void {
    this.#owed += this.#options.late;
  }

  /** The delivery whose turn it is. */
  due(position: number): Delivery | undefined {
    return this.#held.length > 0 && this.#held[0]!.dueAt <= position ? this.#held.shift()!.delivery : undefined;
  }

  /** Whether what is held back now still has its turn. */
  mayHold(position: number): boolean {
    const { count, spacing } = this.#options;
    return count === undefined || position + 3 * spacing + this.#held.length < count;
  }

  /** Whether to hold one back; as many as shall be are, also where only few may be. */
  draws(random: Random, share: number): boolean {
    if (random.next() >= this.#holdShare * share && this.#owed < 4) return false;
    this.#owed -= 1;
    return true;
  }

  /** Puts a delivery off. @returns the position of its turn */
  hold(delivery: Delivery, position: number, random: Random): number {
    const earliest = position + this.#options.spacing + random.below(this.#options.spacing);
    const dueAt = Math.max(earliest, this.#held.at(-1)?.dueAt ?? 0);
    this.#held.push({ dueAt, delivery });
    return dueAt;
  }
}
