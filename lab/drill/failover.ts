import { drillFailover } from '../../drills/failover.ts';
import type { FailoverResult } from '../../drills/failover-result.ts';
import { defaultDrillDirectory } from '../../drills/history.ts';
import { interruptible } from '../interruptible.ts';
import { print, printJson, progress, table } from '../output.ts';
import type { FailoverFlags } from './flags.ts';

/** `lab drill failover` */
export async function failover(flags: FailoverFlags): Promise<void> {
  const { promotions, replicas, seed, rate, postgres } = flags;
  const result = await interruptible((signal) =>
    drillFailover({
      promotions,
      replicas,
      synchronous: flags.sync ?? false,
      seed,
      rate,
      postgres,
      root: defaultDrillDirectory(),
      progress,
      signal,
      now: () => new Date(),
      clock: () => performance.now(),
    }),
  );
  if (flags.json) printJson(result);
  else print(describe(result));
  if (!result.ok) process.exitCode = 1;
}

function describe(result: FailoverResult): string {
  const { slot, recoveryMs, audit } = result;
  const retries = Object.entries(result.retries).map(([reason, count]) => `${count} × ${reason}`);
  return table(
    [],
    [
      ['result', result.ok ? 'passed' : result.problems.join('; ')],
      ['promotions', `${result.promotions.length}, PostgreSQL ${result.version}, seed ${result.seed}`],
      ['replicas', `${result.replicas}, ${result.synchronous ? 'synchronous' : 'asynchronous'}`],
      ['acknowledged', `${result.acknowledged}, of these lost: ${result.lostAcknowledged}`],
      ['first acknowledged write', `median ${recoveryMs.median} ms, longest ${recoveryMs.max} ms after the fault`],
      ['writes that an old primary took', String(result.oldPrimaryAcceptedWrites)],
      ['repeated by the provider', retries.join(', ') || 'none'],
      [
        'slot',
        slot
          ? `there after ${slot.survived} promotions; of ${slot.events} events ${slot.missing} missing, ${slot.repeated} came again`
          : 'this server has no failover slots',
      ],
      ['audit', audit.invariants.map(({ id, violations }) => `${id} ${violations || 'ok'}`).join(', ')],
      ['history', result.directory],
    ],
  );
}
