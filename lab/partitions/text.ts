import type { LockReport } from '../../operations/short-lock.ts';

/** A partition's bounds: days without a time of day. */
export function bounds(from: Date | null, to: Date | null): string {
  const short = (bound: Date) => bound.toISOString().slice(0, 16).replace('T', ' ').replace(' 00:00', '');
  return from && to ? `${short(from)} – ${short(to)}` : 'default';
}

/** Bytes for a reader. */
export function megabytes(bytes: number): string {
  return bytes < 1e5 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** The longest time that one of the locks held up others. */
export function longest(locks: readonly LockReport[]): string {
  if (locks.length === 0) return 'none';
  return `${Math.max(...locks.map(({ waitedMs, heldMs }) => waitedMs + heldMs)).toFixed(1)} ms`;
}
