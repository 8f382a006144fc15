import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** What a drill leaves behind, so that it can be understood and repeated: `results/drills/<id>/`. */
export interface DrillHistory {
  /** Sorts by time, as in `20260131T120000Z-failover-1`. */
  readonly id: string;
  readonly directory: string;
  /** The client's record of every acknowledgement: what the audit holds the database against. */
  readonly recordFile: string;
  /** One line in `history.jsonl`: what the drill did, in order. */
  note(event: string, details?: Record<string, unknown>): Promise<void>;
  /** Stores the result as `result.json`. */
  finish(result: unknown): Promise<void>;
}

export interface HistoryOptions {
  name: string;
  seed: number;
  /** Where drills are kept; a directory for this one is made in it. */
  root: string;
  now: () => Date;
  /** What the seed has decided: the plan of the whole drill. */
  schedule: unknown;
}

/** `results/drills` of the checkout. */
export function defaultDrillDirectory(): string {
  return path.resolve(import.meta.dirname, '../results/drills');
}

export async function openHistory(options: HistoryOptions): Promise<DrillHistory> {
  const { name, seed, root, now, schedule } = options;
  const time = now().toISOString().replace(/[-:]/g, '').replace(/\.\d+/, '');
  const id = `${time}-${name}-${seed}`;
  const directory = path.join(root, id);
  await mkdir(directory, { recursive: true });
  await writeFile(path.join(directory, 'schedule.json'), `${JSON.stringify({ name, seed, schedule }, null, 2)}\n`);
  const file = path.join(directory, 'history.jsonl');
  return {
    id,
    directory,
    recordFile: path.join(directory, 'client.jsonl'),
    note: (event, details = {}) =>
      appendFile(file, `${JSON.stringify({ at: now().toISOString(), event, ...details })}\n`),
    finish: (result) => writeFile(path.join(directory, 'result.json'), `${JSON.stringify(result, null, 2)}\n`),
  };
}
