import path from 'node:path';
import type { EarlierSpread } from '../compare/same-arm.ts';
import { thisMachine } from '../measure/environment.ts';
import type { Environment } from '../schema/environment.ts';
import { isOwnDocument } from '../schema/result.ts';
import type { RunDocument } from '../schema/run.ts';
import { defaultResultsDirectory, listRunIds, loadRun } from './store.ts';

export interface Earlier {
  runs: number;
  spread: EarlierSpread;
}

/** As many runs as this are looked at: what a machine was like a hundred runs ago says nothing of today. */
const lookedAt = 20;

/** As `earlierRuns`, of this machine's own results. */
export function earlierHere(control: string): Promise<Earlier> {
  return earlierRuns(defaultResultsDirectory(), thisMachine(), control);
}

type Machine = Pick<Environment, 'cpu' | 'cores' | 'memoryBytes'>;

/** What earlier runs on this machine showed of the same control against itself. Files that can't be read are passed over. */
export async function earlierRuns(directory: string, machine: Machine, control: string): Promise<Earlier> {
  const ids = (await listRunIds(directory)).slice(-lookedAt);
  const loaded = await Promise.all(
    ids.map((id) => loadRun(directory, path.join(directory, `${id}.json`)).catch(() => undefined)),
  );
  return spreadOf(
    loaded.filter((run) => run !== undefined),
    machine,
    control,
  );
}

export function spreadOf(runs: readonly RunDocument[], machine: Machine, control: string): Earlier {
  const comparable = runs.filter(
    (run) =>
      !isOwnDocument(run) && run.verdict === 'VALID' && run.control === control && isSame(run.environment, machine),
  );
  const spread: Record<string, number> = {};
  const counted = comparable.filter(({ sameArm }) => sameArm);
  for (const { sameArm } of counted) {
    for (const { metric, ratio } of sameArm!.comparisons) {
      spread[metric] = Math.max(spread[metric] ?? 0, Math.abs(Math.log(ratio)));
    }
  }
  return { runs: counted.length, spread };
}

function isSame(a: Machine, b: Machine): boolean {
  return a.cpu === b.cpu && a.cores === b.cores && a.memoryBytes === b.memoryBytes;
}
