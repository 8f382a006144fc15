import type { Client } from 'pg';
import { withNotedLock } from '../noted-lock.ts';
import type { StepOptions } from '../prepare.ts';
import { bringChanges, type Sides, takeStep } from './step.ts';

/** Rounds after which the lock is tried for anyway: the load may be too high for less to be left. */
const catchUpRounds = 20;

/**
 * Holds the writers, brings over what is left, and fences the source, in one short transaction: from its commit on the
 * rows of the target are the ones that count.
 * @returns the changes that were brought over while the writers were held.
 */
export async function switchOver(sides: Sides, options: StepOptions & { newHome: string }): Promise<number> {
  const { source, target, tables } = sides;
  const { maxLockMs, newHome } = options;
  const names = tables.map(({ name }) => `public.${name}`);
  let asked = new Date();
  const catchUp = async () => {
    for (let round = 1; round <= catchUpRounds; round += 1) {
      const started = performance.now();
      const { changes } = await takeStep(sides);
      // What the next step finds came during this one: it takes no longer.
      if (changes === 0 || performance.now() - started < maxLockMs * 0.3) break;
    }
    asked = new Date();
  };
  await catchUp();
  return withNotedLock(
    source,
    {
      ...options,
      step: 'switch',
      // Reads go on; whoever locks a row or writes one waits.
      lock: `lock table ${names.join(', ')} in exclusive mode`,
      tables: names,
      beforeRetry: catchUp,
    },
    async () => {
      const changes = await withinTime(target, maxLockMs * 0.6, () => bringChanges(sides));
      await source.query('select conversion.fence($1)', [newHome]);
      await source.query(
        "update conversion.state set phase = 'switched', switched_at = clock_timestamp(), held_at = $1, changes_in_switch = $2",
        [asked, changes],
      );
      return changes;
    },
  );
}

/** One transaction of the target that is given up after so long, as a lock is that does not come. */
async function withinTime<T>(target: Client, limitMs: number, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  await target.query(`begin; set local statement_timeout = ${Math.ceil(limitMs)}`);
  try {
    const result = await work();
    if (performance.now() - started > limitMs) throw Object.assign(new Error('it took too long'), { code: '57014' });
    await target.query('commit');
    return result;
  } catch (error) {
    await target.query('rollback');
    throw error;
  }
}
