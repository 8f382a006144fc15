import type { Client } from 'pg';
import { type LockedWork, type ShortLockOptions, withShortLock } from '../short-lock.ts';

/** A short lock whose attempts are kept with the conversion, so that a resumed call reports them too. */
export function withNotedLock<T>(client: Client, options: ShortLockOptions, work: LockedWork<T>): Promise<T> {
  return withShortLock(
    client,
    {
      ...options,
      note: async ({ step, taken, waitedMs, heldMs }) => {
        await client.query('insert into conversion.locks (step, taken, waited_ms, held_ms) values ($1, $2, $3, $4)', [
          step,
          taken,
          waitedMs,
          heldMs,
        ]);
      },
    },
    work,
  );
}
