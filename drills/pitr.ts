import path from 'node:path';
import { type AuditResult, auditRun } from '../audit/audit.ts';
import { atEach } from '../kernel/postgres/hosts.ts';
import { withClient } from '../kernel/postgres/with-client.ts';
import { defaultTopology } from '../kernel/topology.ts';
import { archiveUpToNow, createArchive } from '../replication/archive.ts';
import { type BaseBackup, type RecoveryTarget, restoreTo, takeBaseBackup } from '../replication/base-backup.ts';
import type { PostgresServer } from '../runtime/native/postgres.ts';
import { createRandom } from '../simulator/workload/random.ts';
import { type DrillHistory, openHistory } from './history.ts';
import { type DrillSystem, startDrillSystem } from './system.ts';
import { startLoad } from './webhook-load.ts';

export interface PitrOptions {
  /** Webhooks before, during and after the base backup, each. */
  webhooks: number;
  seed: number;
  postgres: 'embedded' | 'installed';
  root: string;
  progress: (line: string) => void;
  signal: AbortSignal;
  now: () => Date;
  clock: () => number;
}

export interface Restored {
  /** What recovery was told to stop at. */
  target: RecoveryTarget;
  /** From the start of the restore until the server took writes. */
  recoveryMs: number;
  counts: Counts;
  /** Every count is as it was before the mistake. */
  complete: boolean;
  audit: AuditResult;
}

export interface PitrResult {
  ok: boolean;
  problems: string[];
  id: string;
  directory: string;
  seed: number;
  version: string;
  acknowledged: number;
  mistake: string;
  before: Counts;
  /** On the damaged server: what the mistake has done. */
  after: Counts;
  restored: Restored[];
}

type Counts = Record<'orders' | 'order_events' | 'disputes' | 'webhook_deliveries' | 'outbox', number>;

/** What an operator might do by mistake. The seed picks one. */
export const mistakes = [
  'delete from order_events where sequence > 1',
  'truncate webhook_deliveries',
  "delete from outbox where aggregate_type = 'order'",
] as const;

/**
 * Takes a base backup while webhooks arrive, lets some more come, makes a mistake, and restores the data to the moment
 * before it: once by the WAL position, once by the time. Both have to hold every acknowledged webhook.
 */
export async function drillPitr(options: PitrOptions): Promise<PitrResult> {
  const { seed, root, now, progress, signal, webhooks } = options;
  const mistake = mistakes[Math.floor(createRandom(seed, 78).next() * mistakes.length)]!;
  const history = await openHistory({ name: 'pitr', seed, root, now, schedule: { mistake, webhooks } });
  let archive = '';
  const system = await startDrillSystem({
    topology: defaultTopology,
    replicas: 0,
    synchronous: false,
    postgres: options.postgres,
    progress,
    signal,
    settings: async (runDirectory) => {
      archive = path.join(runDirectory, 'archive');
      return createArchive(archive);
    },
  });
  try {
    const { primary } = system.database;
    const { backup, acknowledged } = await backUpUnderLoad(options, system, history);
    const before = await countRows(dsnOf(system, primary));
    const { lsn, time } = await makeMistake(dsnOf(system, primary), mistake);
    const after = await countRows(dsnOf(system, primary));
    await history.note('mistake', { mistake, lsn, time, before, after });
    progress(`mistake: ${mistake}`);
    await withClient(primary.dsn(), archiveUpToNow);
    const restored: Restored[] = [];
    for (const target of [{ lsn }, { time }]) {
      signal.throwIfAborted();
      restored.push(await restore({ options, system, history, backup, archive, before }, target));
    }
    const problems = problemsOf(before, after, restored);
    const result: PitrResult = {
      ok: problems.length === 0,
      problems,
      id: history.id,
      directory: history.directory,
      seed,
      version: primary.version,
      acknowledged,
      mistake,
      before,
      after,
      restored,
    };
    await history.finish(result);
    return result;
  } finally {
    await system.close();
  }
}

/** A base backup in the middle of the webhooks; all of them have been answered in the end. */
async function backUpUnderLoad(
  { seed, webhooks, now, clock, progress, signal }: PitrOptions,
  system: DrillSystem,
  history: DrillHistory,
): Promise<{ backup: BaseBackup; acknowledged: number }> {
  const load = await startLoad({
    url: system.api.url,
    secret: system.secret,
    token: system.token,
    recordFile: history.recordFile,
    seed,
    run: `pitr${seed}`,
    rate: 1_000,
    now,
    clock,
  });
  try {
    await load.waitForAcks(webhooks);
    progress('base backup under load');
    const during = load.waitForAcks(webhooks);
    const backup = await takeBaseBackup(system.database.primary, path.join(system.runDirectory, 'base-backup'));
    await during;
    await history.note('base backup taken');
    await load.waitForAcks(webhooks);
    await load.stop();
    signal.throwIfAborted();
    return { backup, acknowledged: load.totals.acknowledged };
  } finally {
    await load.stop().catch(() => {});
  }
}

interface RestoreContext {
  options: PitrOptions;
  system: DrillSystem;
  history: DrillHistory;
  backup: BaseBackup;
  /** Directory of the WAL archive. */
  archive: string;
  before: Counts;
}

/** Restores to one target and looks at what came back; the server is gone again afterwards. */
async function restore(context: RestoreContext, target: RecoveryTarget): Promise<Restored> {
  const { system, history, backup, archive, before } = context;
  const { clock, progress } = context.options;
  const startedAt = clock();
  const name = 'lsn' in target ? 'restored_by_lsn' : 'restored_by_time';
  const server = await restoreTo({ backup, archive, target, name, timeoutMs: 120_000 });
  const recoveryMs = Math.round(clock() - startedAt);
  const dsn = dsnOf(system, server);
  const counts = await countRows(dsn);
  const audit = await auditRun({ dsn, topology: defaultTopology, recordFiles: [history.recordFile] });
  const complete = JSON.stringify(counts) === JSON.stringify(before);
  await history.note('restored', { target, recoveryMs, counts, complete });
  progress(`restored to ${'lsn' in target ? target.lsn : target.time} in ${recoveryMs} ms`);
  await server.stop('immediate');
  return { target, recoveryMs, counts, complete, audit };
}

function dsnOf(system: DrillSystem, server: PostgresServer): string {
  return atEach(system.database.dsn.admin, [server])[0]!;
}

async function countRows(dsn: string): Promise<Counts> {
  const tables = ['orders', 'order_events', 'disputes', 'webhook_deliveries', 'outbox'] as const;
  return withClient(dsn, async (client) => {
    const counts = {} as Counts;
    for (const name of tables) counts[name] = (await client.query(`select count(*)::int as n from ${name}`)).rows[0].n;
    return counts;
  });
}

/** Commits the mistake. @returns position and time between the last good commit and it. */
async function makeMistake(dsn: string, mistake: string): Promise<{ lsn: string; time: string }> {
  return withClient(dsn, async (client) => {
    // Recovery ends before the first commit beyond them, and that is the mistake: nothing else writes by now.
    const { rows } = await client.query<{ lsn: string; time: string }>(
      'select pg_current_wal_insert_lsn()::text as lsn, clock_timestamp()::text as time',
    );
    await client.query(mistake);
    return rows[0]!;
  });
}

function problemsOf(before: Counts, after: Counts, restored: readonly Restored[]): string[] {
  const problems: string[] = [];
  if (JSON.stringify(before) === JSON.stringify(after)) problems.push('the mistake changed nothing');
  for (const { target, complete, audit } of restored) {
    const name = 'lsn' in target ? `position ${target.lsn}` : `time ${target.time}`;
    if (!complete) problems.push(`restored to ${name}: the rows are not those from before the mistake`);
    for (const { id, violations, title } of audit.invariants) {
      if (violations > 0) problems.push(`restored to ${name}: ${id}: ${violations} violations of "${title}"`);
    }
  }
  return problems;
}
