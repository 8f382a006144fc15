import { open, rm } from 'node:fs/promises';
import path from 'node:path';
import { median } from '../statistics/summary.ts';

/** What the machine does the same work in, whatever is measured on it. */
export interface Calibration {
  /** Median time of a fixed piece of arithmetic: longer where the cores run slower. */
  spinMs: number;
  /** Median time until 8 KiB are on disk. */
  syncMs: number;
}

const pieces = 9;
const steps = 1_500_000;
const syncs = 5;

/** Takes some 30 ms of one core and a few writes. @param directory on the disk that the servers write to */
export async function calibrate(directory: string): Promise<Calibration> {
  // The first piece is compiled while it runs.
  spin();
  const spinMs = median(Array.from({ length: pieces }, spin));
  return { spinMs, syncMs: await timeSync(directory) };
}

function spin(): number {
  const startedAt = performance.now();
  let state = 1;
  for (let step = 0; step < steps; step += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
  }
  // Xorshift never comes to 0, but the compiler must not know that.
  if (state === 0) throw new Error('the arithmetic went wrong');
  return performance.now() - startedAt;
}

async function timeSync(directory: string): Promise<number> {
  const file = path.join(directory, `sync-${process.pid}-${performance.now()}`);
  const handle = await open(file, 'w');
  const block = Buffer.alloc(8_192, 1);
  try {
    const times: number[] = [];
    for (let at = 0; at < syncs; at += 1) {
      const startedAt = performance.now();
      await handle.write(block, 0, block.length, at * block.length);
      await handle.datasync();
      times.push(performance.now() - startedAt);
    }
    return median(times);
  } finally {
    await handle.close();
    await rm(file, { force: true });
  }
}
