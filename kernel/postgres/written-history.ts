import type { Lsn } from './lsn.ts';

/** Where the primary's WAL stood when: turns a position into a time without trusting any server's clock. */
export interface WrittenHistory {
  add(atMs: number, lsn: Lsn): void;
  /** The newest known position that is not younger than the moment; undefined when the history begins later. */
  at(atMs: number): Lsn | undefined;
  /** How long ago the primary first stood beyond `lsn`; 0 when it doesn't. At least the whole history for older ones. */
  behindMs(lsn: Lsn, nowMs: number): number;
}

/** @param keepMs how far back the history reaches. */
export function createWrittenHistory(keepMs: number): WrittenHistory {
  let entries: { atMs: number; lsn: Lsn }[] = [];
  return {
    add: (atMs, lsn) => {
      entries.push({ atMs, lsn });
      // Cut off in bulk: shifting by one for each entry would copy the whole array each time.
      const outdated = entries.findIndex((entry) => entry.atMs >= atMs - keepMs);
      if (outdated > entries.length / 2) entries = entries.slice(outdated - 1);
    },
    at: (atMs) => entries.findLast((entry) => entry.atMs <= atMs)?.lsn,
    behindMs: (lsn, nowMs) => {
      const reached = entries.findLastIndex((entry) => entry.lsn <= lsn);
      const beyond = entries[reached + 1];
      return beyond ? nowMs - beyond.atMs : 0;
    },
  };
}
