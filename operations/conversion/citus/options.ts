import type { FreeSpaceMeter } from '../disk-space.ts';
import type { ClusterPlaces } from './places.ts';

export interface CitusConvertOptions extends ClusterPlaces {
  action: 'start' | 'resume' | 'finish' | 'abort';
  /** Rows of one step. */
  batchRows: number;
  /** Share of the time in which the copy works, above 0 to 1. */
  duty: number;
  /** Longest time that a lock may hold up other sessions. */
  maxLockMs: number;
  /** Over how long throughput is measured before and after. */
  measureMs: number;
  measureFree: FreeSpaceMeter;
  /** How often a lock is tried for. */
  lockAttempts?: number;
  /** How long the reader of the fenced source may take for what it has not read yet. */
  drainTimeoutMs?: number;
  /** For tests: runs when all is copied and compared. */
  beforeSwitch?: () => Promise<void>;
  progress(line: string): void;
  signal?: AbortSignal;
}
