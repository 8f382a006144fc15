import { defaultDrillDirectory } from '../../drills/history.ts';
import { drillKills } from '../../drills/kills.ts';
import type { KillResult } from '../../drills/kills-result.ts';
import { interruptible } from '../interruptible.ts';
import { print, printJson, progress, table } from '../output.ts';
import { checkRequest } from '../system-request.ts';
import type { KillFlags } from './flags.ts';

/** `lab drill kill` */
export async function kill(flags: KillFlags): Promise<void> {
  const { topology, cdc = 'off', mode = 'sync', replicas, synchronous, prometheus } = await wanted(flags);
  const result = await interruptible((signal) =>
    drillKills({
      topology,
      mode,
      cdc,
      replicas,
      synchronous: synchronous ?? false,
      prometheus: prometheus ?? false,
      kills: flags.kills,
      parts: flags.parts,
      seed: flags.seed,
      rate: flags.rate,
      limitMs: 10_000,
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

/** Checked as `lab up` does it. @throws UsageError, MissingPartError */
function wanted({ topology, mode, cdc, replicas, sync, prometheus }: KillFlags) {
  return checkRequest(topology, {
    mode,
    postgres: 'embedded',
    ...(cdc && { cdc }),
    ...(replicas !== undefined && { replicas }),
    ...(sync && { sync }),
    ...(prometheus && { prometheus }),
  });
}

function describe(result: KillResult): string {
  const { audit, configuration, environment } = result;
  const { topology, mode, cdc, synchronous, rate, limitMs } = configuration;
  const retries = Object.entries(result.retries).map(([reason, count]) => `${count} × ${reason}`);
  const summary = table(
    [],
    [
      ['result', result.ok ? 'passed' : result.problems.join('; ')],
      [
        'system',
        `${topology}${synchronous ? ', synchronous' : ''}, ${mode}, cdc ${cdc}, PostgreSQL ${environment.postgres}`,
      ],
      ['kills', `${result.recoveries.length}; each has to be over after ${limitMs} ms`],
      ['acknowledged', `${result.acknowledged}, ${result.acknowledgedPerSecond} of ${rate} a second`],
      ['repeated by the provider', retries.join(', ') || 'none'],
      ['audit', audit.invariants.map(({ id, violations, ok }) => `${id} ${ok ? 'ok' : violations}`).join(', ')],
      ['history', result.directory],
    ],
  );
  const head = ['part', 'kills', 'recovered ms, median', 'longest', 'longest without an acknowledgement'];
  const rows = result.byPart.map(({ part, kills, medianMs, longestMs, longestUnacknowledgedMs }) => [
    part,
    kills,
    medianMs,
    longestMs,
    longestUnacknowledgedMs,
  ]);
  return `${summary}\n\n${table(head, rows)}`;
}
