import type { Client } from 'pg';
import { withNotedLock } from '../noted-lock.ts';
import { Pace } from '../pace.ts';
import { ConversionRefused } from '../preflight.ts';
import type { StepOptions } from '../prepare.ts';
import { bringChanges, type Sides, takeStep } from './step.ts';

/** Rounds after which the lock is tried for anyway, where what is left may just fit: the load is too high for less. */
const catchUpRounds = 20;

/** Shares of the time that others may be held up: what a round that ends the catching up takes, and what the switch may. */
const shortShare = 0.3;
const switchShare = 0.6;

/**
 * Holds the writers, brings over what is left, and fences the source, in one short transaction: from its commit on the
 * rows of the target are the ones that count.
 * @returns the changes that were brought over while the writers were held.
 */
export async function switchOver(
  sides: Sides,
  options: StepOptions & { newHome: string; signal?: AbortSignal },
): Promise<number> {
  const { source, target, tables } = sides;
  const { maxLockMs, newHome, signal } = options;
  const mayTakeMs = maxLockMs * switchShare;
  const names = tables.map(({ name }) => `public.${name}`);
  let asked = new Date();
  const catchUp = async () => {
    const pace = new Pace(1);
    let shortestMs = Number.POSITIVE_INFINITY;
    for (let round = 1; round <= catchUpRounds; round += 1) {
      const step = await takeStep(sides, { signal });
      shortestMs = step.round.brought === 0 ? 0 : Math.min(shortestMs, performance.now() - step.round.atMs);
      // What the next step finds came during this one: it takes no longer.
      if (shortestMs < maxLockMs * shortShare) break;
      pace.add(step.round);
    }
    if (shortestMs > mayTakeMs) throw new ConversionRefused(outOfReach(shortestMs, maxLockMs));
    asked = new Date();
  };
  await catchUp();
  return withNotedLock(
    source,
    {
      ...options,
      step: 'switch',
      // Reads go on; a session that locks a row or writes one waits.
      lock: `lock table ${names.join(', ')} in exclusive mode`,
      tables: names,
      beforeRetry: catchUp,
    },
    async () => {
      const changes = await withinTime(target, mayTakeMs, (goOn) => bringChanges(sides, goOn));
      await source.query('select conversion.fence($1)', [newHome]);
      await source.query(
        "update conversion.state set phase = 'switched', switched_at = clock_timestamp(), held_at = $1, changes_in_switch = $2",
        [asked, changes],
      );
      return changes;
    },
  );
}

/** Writers would be held up for nothing. */
function outOfReach(shortestMs: number, maxLockMs: number): string {
  const enoughMs = Math.ceil((shortestMs / switchShare) * 1.5);
  return (
    `The switch is out of reach: to bring over what came meanwhile took ${Math.ceil(shortestMs)} ms or more in each of ` +
    `${catchUpRounds} rounds, and --max-lock-ms ${maxLockMs} leaves it ${maxLockMs * switchShare} ms. Nothing is lost: lower ` +
    `the load, or allow --max-lock-ms ${enoughMs}, and go on with --resume. Or undo it with --abort.`
  );
}

/**
 * One transaction of the target that is given up after so long, as a lock is that does not come.
 * @param work Has to ask before each of its pieces whether it may go on: a limit for one statement limits no loop.
 */
export async function withinTime<T>(
  target: Client,
  limitMs: number,
  work: (goOn: () => void) => Promise<T>,
): Promise<T> {
  const started = performance.now();
  const goOn = () => {
    if (performance.now() - started > limitMs) throw Object.assign(new Error('it took too long'), { code: '57014' });
  };
  await target.query(`begin; set local statement_timeout = ${Math.ceil(limitMs)}`);
  try {
    const result = await work(goOn);
    goOn();
    await target.query('commit');
    return result;
  } catch (error) {
    await target.query('rollback');
    throw error;
  }
}
