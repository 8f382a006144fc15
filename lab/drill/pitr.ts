import { defaultDrillDirectory } from '../../drills/history.ts';
import { drillPitr, type PitrResult } from '../../drills/pitr.ts';
import { interruptible } from '../interruptible.ts';
import { print, printJson, progress, table } from '../output.ts';
import type { PitrFlags } from './flags.ts';

/** `lab drill pitr` */
export async function pitr(flags: PitrFlags): Promise<void> {
  const { webhooks, seed, postgres } = flags;
  const result = await interruptible((signal) =>
    drillPitr({
      webhooks,
      seed,
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

function describe(result: PitrResult): string {
  const list = (counts: PitrResult['before']) =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  const restored = result.restored.map(({ target, recoveryMs, counts, audit }) => [
    `restored to ${'lsn' in target ? target.lsn : target.time}`,
    `in ${recoveryMs} ms: ${list(counts)}; audit ${audit.ok ? 'clean' : 'NOT clean'}`,
  ]);
  return table(
    [],
    [
      ['result', result.ok ? 'passed' : result.problems.join('; ')],
      ['PostgreSQL', `${result.version}, seed ${result.seed}`],
      ['acknowledged', `${result.acknowledged} before the mistake`],
      ['before', list(result.before)],
      ['mistake', result.mistake],
      ['after', list(result.after)],
      ...restored,
      ['history', result.directory],
    ],
  );
}
