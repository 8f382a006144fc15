import { randomBytes } from 'node:crypto';

/** Sorts by time and tells two runs of one second apart, as in 20260131T120000Z-ingest-3f9a. */
export function runId(startedAt: Date, what: string): string {
  const time = startedAt.toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '');
  return `${time}-${what}-${randomBytes(2).toString('hex')}`;
}
