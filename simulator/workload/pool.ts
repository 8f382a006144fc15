import type { Random } from './random.ts';

/**
 * Things that have further events to come. One that was touched is drawn again only `spacing` positions later, so that
 * its next event does not overtake the last one on a parallel connection unless the plan says so.
 */
export interface Pool<T> {
  readonly size: number;
  /** Puts a thing in, touched at `position`. */
  add(thing: T, position: number): void;
  /** Takes a random thing out; undefined when all were touched too recently. */
  take(position: number, random: Random): T | undefined;
}

export function createPool<T>(spacing: number): Pool<T> {
  const waiting: { thing: T; since: number }[] = [];
  const ready: T[] = [];
  let head = 0;
  return {
    get size() {
      return waiting.length - head + ready.length;
    },
    add(thing, position) {
      waiting.push({ thing, since: position });
    },
    take(position, random) {
      while (head < waiting.length && waiting[head]!.since + spacing <= position) ready.push(waiting[head++]!.thing);
      if (head > 1_024 && head * 2 > waiting.length) {
        waiting.splice(0, head);
        head = 0;
      }
      if (ready.length === 0) return undefined;
      const index = random.below(ready.length);
      const thing = ready[index]!;
      // The last one fills the gap: order within the pool does not matter, and nothing has to move.
      ready[index] = ready[ready.length - 1]!;
      ready.pop();
      return thing;
    },
  };
}
