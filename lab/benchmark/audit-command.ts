import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { auditRun } from '../../benchmarks/audit/audit.ts';
import { isTopologyName, type TopologyName, topologyNames } from '../../kernel/topology.ts';
import type { AuditFlags } from '../commands/audit.ts';
import { findRun } from '../native/run-directory.ts';
import { print, printJson, UsageError } from '../output.ts';
import { auditTable } from './tables.ts';

/** `lab audit`. */
export async function auditCommand(flags: AuditFlags): Promise<void> {
  const target = await findTarget(flags);
  const result = await auditRun(target);
  if (flags.json) printJson({ topology: target.topology, records: target.recordFiles, ...result });
  else {
    print(auditTable(result));
    print(`\n${result.ok ? 'clean' : 'BROKEN'}: ${target.topology}, ${target.recordFiles.length} record files`);
  }
  if (!result.ok) process.exitCode = 1;
}

interface Target {
  dsn: string;
  topology: TopologyName;
  recordFiles: string[];
  /** Of the analytics, where the system has any. */
  clickhouseUrl: string | undefined;
}

async function findTarget(flags: AuditFlags): Promise<Target> {
  const records = flags.record?.map((file) => path.resolve(file));
  if (flags.dsn !== undefined) {
    const topology = flags.topology ?? '';
    if (!isTopologyName(topology)) throw new UsageError(`--dsn needs --topology ${topologyNames.join('|')}.`);
    return { dsn: flags.dsn, topology, recordFiles: records ?? [], clickhouseUrl: flags.clickhouse };
  }
  const run = await findRun(flags.run);
  if (!run) {
    throw new UsageError(flags.run ? `No system ${flags.run} runs.` : 'No system runs. Start one with `lab up plain`.');
  }
  const directory = path.join(run.runDirectory, 'records');
  const left = (await readdir(directory).catch(() => [])).sort().map((name) => path.join(directory, name));
  return {
    ...{ dsn: run.dsn.admin, topology: run.topology, recordFiles: records ?? left },
    clickhouseUrl: flags.clickhouse ?? run.urls.clickhouse,
  };
}
