import { auditRun } from '../audit/audit.ts';
import { waitUntil } from '../kernel/wait.ts';
import { untilDrained } from '../operations/status/drain.ts';
import { operatorToken } from '../runtime/access-token.ts';
import { type RunningSystem, startSystem } from '../runtime/native/system.ts';
import { type DrillHistory, openHistory } from './history.ts';
import { killOrder } from './kill-order.ts';
import { type KillConfiguration, type KillResult, type Recovery, summarise } from './kills-result.ts';
import { expectAllWell, isFlowing, newestCommitInClickhouseMs } from './kills-signs.ts';
import { type DrillLoad, startLoad } from './webhook-load.ts';

export interface KillOptions extends KillConfiguration {
  kills: number;
  /** The only ones that are killed; all unless given. */
  parts?: readonly string[] | undefined;
  /** Where the drill's history goes. */
  root: string;
  progress: (line: string) => void;
  signal: AbortSignal;
  now: () => Date;
  /** Monotonic, in milliseconds. */
  clock: () => number;
}

/** A system that has not recovered by then does not count as one that did. */
const recoveryTimeoutMs = 60_000;
/** The supervisor gives a part up after its fifth end within a minute: the drill stays below that. */
const mostKillsAMinute = 3;

/**
 * Kills every part of a supervised system in turn, with SIGKILL, under load. After each kill the drill does nothing but
 * look until the system is well again. In the end the client's record is held against the database and ClickHouse.
 */
export async function drillKills(options: KillOptions): Promise<KillResult> {
  const { topology, mode, cdc, replicas, synchronous, prometheus, seed, rate, root, now, clock, signal } = options;
  const { progress } = options;
  const system = await startSystem({
    topology,
    mode,
    cdc,
    ...(replicas !== undefined && { replicas }),
    synchronous,
    prometheus,
    restarts: true,
    progress,
    signal,
  });
  let load: DrillLoad | undefined;
  try {
    const names = system.describe().processes.map(({ name }) => name);
    const order = killOrder(names, options);
    const history = await openHistory({ name: 'kill', seed, root, now, schedule: order });
    const startedAt = clock();
    load = await startLoad({
      url: system.urls.ingest ?? system.urls.api,
      secret: system.secrets.silvergate,
      token: await operatorToken(system),
      recordFile: history.recordFile,
      seed,
      run: `kill${seed}`,
      rate,
      // Enough for the rate where an answer takes a third of a second.
      concurrency: 128,
      // What the gateway has accepted is not there to be read yet.
      ...(mode === 'kafka' && { readShare: 0 }),
      now,
      clock,
    });
    const recoveries = await killInTurn(options, { system, load, order, history });
    await load.waitForAcks(50);
    await load.stop();
    const overS = (clock() - startedAt) / 1_000;
    const { drained } = await untilDrained(system.describe(), { timeoutMs: 300_000, signal, progress });
    const audit = await auditRun({
      dsn: system.describe().dsn.admin,
      topology,
      recordFiles: [history.recordFile],
      clickhouseUrl: system.urls.clickhouse,
      providerUrl: system.urls.provider,
      stallMs: 30_000,
    });
    const { processes, postgres } = system.describe();
    const result = summarise(options, { history, recoveries, load, overS, drained, audit, processes, postgres });
    await history.finish(result);
    return result;
  } finally {
    await load?.stop().catch(() => {});
    await system.stop();
  }
}

interface UnderLoad {
  system: RunningSystem;
  load: DrillLoad;
  order: readonly string[];
  history: DrillHistory;
}

async function killInTurn(options: KillOptions, { system, load, order, history }: UnderLoad): Promise<Recovery[]> {
  const { rate, clock, signal, progress } = options;
  const killedAtMs = new Map<string, number[]>();
  const recoveries: Recovery[] = [];
  for (const [index, name] of order.entries()) {
    const before = killedAtMs.get(name) ?? [];
    const mayBeKilled = () => before.filter((atMs) => clock() - atMs < 60_000).length < mostKillsAMinute;
    await load.waitForAcks(rate);
    await waitUntil(mayBeKilled, { timeoutMs: 60_000, signal });
    await expectAllWell(system, { timeoutMs: recoveryTimeoutMs, signal });
    killedAtMs.set(name, [...before, clock()]);
    const recovery = await killOne(options, { system, load, number: index + 1, name });
    recoveries.push(recovery);
    await history.note('recovered', { ...recovery });
    const { runningMs, recoveredMs, unacknowledgedMs } = recovery;
    progress(
      `${recovery.number}: ${name} runs after ${runningMs} ms, all is well after ${recoveredMs} ms, ` +
        `longest time without an acknowledgement ${unacknowledgedMs} ms`,
    );
  }
  return recoveries;
}

/** @returns when what was well again, in milliseconds after the kill; null for what was not within a minute. */
async function killOne(
  { clock, now, signal }: KillOptions,
  { system, load, number, name }: { system: RunningSystem; load: DrillLoad; number: number; name: string },
): Promise<Recovery> {
  const processOf = () => system.describe().processes.find((one) => one.name === name)!;
  const { pid } = processOf();
  const wait = { timeoutMs: recoveryTimeoutMs, intervalMs: 20, signal };
  const since = (reached: boolean) => (reached ? Math.round(clock() - killedAt) : null);
  const firstAck = load.acknowledgedAtMs.length;
  const killedAt = clock();
  process.kill(pid, 'SIGKILL');
  const runningMs = since(await waitUntil(() => processOf().pid !== pid && processOf().state === 'running', wait));
  const runningAtMs = now().getTime();
  const isWell = runningMs !== null && (await isFlowing(system, wait));
  const acksAfter = load.acknowledgedAtMs.length;
  const isAcknowledged = isWell && (await waitUntil(() => load.acknowledgedAtMs.length > acksAfter, wait));
  // With ClickHouse an event that was committed after the part has come back has to be there.
  const isVisible = async () =>
    !system.urls.cdc || ((await newestCommitInClickhouseMs(system.urls.cdc)) ?? 0) > runningAtMs;
  const recoveredMs = since(isAcknowledged && (await waitUntil(isVisible, wait)));
  const acks = load.acknowledgedAtMs.slice(Math.max(0, firstAck - 1));
  const pauses = acks.slice(1).map((atMs, index) => atMs - acks[index]!);
  return { number, part: name, runningMs, recoveredMs, unacknowledgedMs: Math.round(Math.max(0, ...pauses)) };
}
