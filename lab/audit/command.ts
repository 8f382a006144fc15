import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { type AuditResult, auditRun } from '../../audit/audit.ts';
import { isTopologyName, type TopologyName, topologyNames } from '../../kernel/topology.ts';
import { automaticCaptureAccounts } from '../../runtime/merchant-accounts.ts';
import type { SystemDescription } from '../../runtime/system-description.ts';
import { UsageError } from '../../runtime/usage-error.ts';
import { readRecords } from '../../simulator/record/read.ts';
import { checkDsn } from '../database-target.ts';
import { noSuch } from '../no-such.ts';
import { print, printJson, progress } from '../output.ts';
import { wantedRun } from '../wanted-run.ts';
import { auditTable } from './table.ts';

export interface AuditFlags {
  record?: string[];
  run?: string;
  dsn?: string;
  topology?: string;
  clickhouse?: string;
  /** Seconds. */
  statementTimeout: number;
  deep?: boolean;
  automaticCapture?: string[];
  json?: boolean;
}

/** `lab audit`. */
export async function auditCommand(flags: AuditFlags): Promise<void> {
  const { run, ...target } = await findTarget(flags);
  if (run) await waitForPipeline(run);
  const result = await auditRun({
    ...target,
    statementTimeoutMs: flags.statementTimeout * 1_000,
    deep: flags.deep ?? false,
    automaticCapture: flags.automaticCapture ?? (run ? automaticCaptureAccounts : []),
  });
  if (flags.json) printJson({ topology: target.topology, records: target.recordFiles, ...result });
  else {
    print(auditTable(result));
    print(`\n${verdictOf(result)}: ${target.topology}, ${count(target.recordFiles.length)}`);
  }
  if (!result.ok) process.exitCode = 1;
}

function verdictOf({ ok, invariants }: AuditResult): string {
  if (ok) return 'clean';
  return invariants.some(({ violations }) => violations > 0) ? 'BROKEN' : 'INCOMPLETE, nothing speaks against the rest';
}

function count(records: number): string {
  return records === 1 ? '1 record file' : `${records} record files`;
}

/** What was accepted has to arrive before its absence means anything. */
async function waitForPipeline(run: SystemDescription): Promise<void> {
  if (run.mode === 'sync' && !run.urls.clickhouse) return;
  const { untilDrained } = await import('../../operations/status/drain.ts');
  try {
    const { drained, waitedMs, backlog } = await untilDrained(run, { timeoutMs: 300_000, progress });
    if (drained) return;
    const left = `${backlog.messages ?? 0} messages and ${backlog.events ?? 0} events are still under way`;
    progress(`${left} after ${Math.round(waitedMs / 1_000)} s; see: lab status`);
  } catch (error) {
    progress(`a part of the pipeline does not answer: ${error instanceof Error ? error.message : error}`);
  }
}

interface Target {
  /** Undefined for a database that is not the lab's. */
  run?: SystemDescription;
  dsn: string;
  topology: TopologyName;
  recordFiles: string[];
  /** Of the analytics, where the system has any. */
  clickhouseUrl: string | undefined;
  /** Of the simulated provider, where there is one. */
  providerUrl?: string | undefined;
  /** Whether the system tells users of its events. */
  notifies?: boolean;
}

async function findTarget(flags: AuditFlags): Promise<Target> {
  const records = flags.record?.map((file) => path.resolve(file));
  await checkRecords(records ?? []);
  if (flags.clickhouse !== undefined) await checkClickhouse(flags.clickhouse);
  if (flags.dsn !== undefined) {
    if (flags.run !== undefined) throw new UsageError('--dsn and --run exclude one another.');
    const { topology } = flags;
    if (topology === undefined) throw new UsageError(`--dsn needs --topology ${topologyNames.join('|')}.`);
    if (!isTopologyName(topology)) throw noSuch('topology', topology, topologyNames);
    await checkDsn('--dsn', flags.dsn);
    return { dsn: flags.dsn, topology, recordFiles: records ?? [], clickhouseUrl: flags.clickhouse };
  }
  if (flags.topology !== undefined) throw new UsageError('--topology goes with --dsn: a run knows its own.');
  const run = await wantedRun(flags.run, ', or name a database with --dsn');
  const directory = path.join(run.runDirectory, 'records');
  const left = (await readdir(directory).catch(() => [])).sort().map((name) => path.join(directory, name));
  return {
    run,
    dsn: run.dsn.admin,
    topology: run.topology,
    recordFiles: records ?? left,
    clickhouseUrl: flags.clickhouse ?? run.urls.clickhouse,
    providerUrl: run.urls.provider,
    ...(run.urls.notifications && { notifies: true }),
  };
}

/** A file without an acknowledgement is not the one that was meant: looking nothing up would be called clean. */
async function checkRecords(files: readonly string[]): Promise<void> {
  for (const file of files) {
    const found = await hasAcknowledgement(file).catch(({ message }) => {
      throw new UsageError(`--record: ${message}`);
    });
    if (!found) throw new UsageError(`--record: ${file} holds no acknowledgement.`);
  }
}

async function hasAcknowledgement(file: string): Promise<boolean> {
  for await (const { type } of readRecords([file])) if (type === 'ack') return true;
  return false;
}

/** Asked before the pipeline is waited for. */
async function checkClickhouse(url: string): Promise<void> {
  if (!/^https?:\/\/./.test(url) || !URL.canParse(url)) {
    throw new UsageError('--clickhouse has to look like http://user:password@host:port/database.');
  }
  await fetch(`${new URL(url).origin}/ping`, { signal: AbortSignal.timeout(10_000) }).catch((error) => {
    throw new Error(`--clickhouse: ${new URL(url).host} does not answer: ${error.cause?.message || error.message}`);
  });
}
