import os from 'node:os';
import type { AuditResult } from '../audit/audit.ts';
import type { TopologyName } from '../kernel/topology.ts';
import type { CdcEngine, ProcessDescription, SystemDescription, WebhookMode } from '../runtime/system-description.ts';
import type { DrillHistory } from './history.ts';
import type { DrillLoad } from './webhook-load.ts';

/** The system that is broken, and the load on it. */
export interface KillConfiguration {
  topology: TopologyName;
  mode: WebhookMode;
  cdc: CdcEngine;
  /** As many as the topology needs unless given. */
  replicas?: number | undefined;
  synchronous: boolean;
  prometheus: boolean;
  seed: number;
  /** Webhooks a second. */
  rate: number;
  /** A kill after which the system took longer is a problem, in milliseconds. */
  limitMs: number;
}

/** After one kill, in milliseconds from it; null for what did not come within the time that the drill allows. */
export interface Recovery {
  number: number;
  part: string;
  /** The part has a new process, which is ready. */
  runningMs: number | null;
  /**
   * Also all services are ready, all replicas stream, and a webhook was acknowledged; with ClickHouse, an event is
   * visible there that was committed after the part had come back.
   */
  recoveredMs: number | null;
  /** The longest time between two acknowledgements until then. */
  unacknowledgedMs: number;
}

export interface KillResult {
  ok: boolean;
  /** What is wrong, one sentence each; empty when `ok`. */
  problems: string[];
  id: string;
  /** Where schedule, history, the client's record and this result are. */
  directory: string;
  environment: { cpus: number; cpu: string; memoryGb: number; kernel: string; node: string; postgres: string };
  configuration: KillConfiguration;
  acknowledged: number;
  /** Acknowledgements a second over the whole drill, kills included. */
  acknowledgedPerSecond: number;
  /** Attempts that the provider repeated, by the reason. */
  retries: Record<string, number>;
  byPart: { part: string; kills: number; medianMs: number; longestMs: number; longestUnacknowledgedMs: number }[];
  audit: AuditResult;
  recoveries: Recovery[];
}

export interface KillEvidence {
  history: DrillHistory;
  recoveries: readonly Recovery[];
  load: DrillLoad;
  overS: number;
  drained: boolean;
  audit: AuditResult;
  processes: readonly ProcessDescription[];
  postgres: SystemDescription['postgres'];
}

export function summarise(configuration: KillConfiguration, evidence: KillEvidence): KillResult {
  const { topology, mode, cdc, replicas, synchronous, prometheus, seed, rate, limitMs } = configuration;
  const { history, recoveries, load, overS, audit, postgres } = evidence;
  const { acknowledged, retries } = load.totals;
  const problems = problemsOf({ ...evidence, gaveUp: load.totals.gaveUp, limitMs });
  return {
    ok: problems.length === 0,
    problems,
    id: history.id,
    directory: history.directory,
    environment: {
      cpus: os.cpus().length,
      cpu: os.cpus()[0]?.model ?? '',
      memoryGb: Math.round(os.totalmem() / 2 ** 30),
      kernel: `${os.type()} ${os.release()} ${os.arch()}`,
      node: process.version,
      postgres: postgres.version,
    },
    configuration: { topology, mode, cdc, replicas, synchronous, prometheus, seed, rate, limitMs },
    acknowledged,
    acknowledgedPerSecond: Math.round(acknowledged / overS),
    retries,
    byPart: byPart(recoveries),
    audit,
    recoveries: [...recoveries],
  };
}

/** What decides whether a drill passed. */
export type KillFindings = Pick<KillEvidence, 'recoveries' | 'drained' | 'audit' | 'processes'> & {
  gaveUp: number;
  limitMs: number;
};

export function problemsOf({ recoveries, drained, audit, processes, gaveUp, limitMs }: KillFindings): string[] {
  const problems: string[] = [];
  for (const { number, part, recoveredMs } of recoveries) {
    if (recoveredMs === null) problems.push(`kill ${number}: without ${part} the system did not recover by itself`);
    else if (recoveredMs > limitMs) problems.push(`kill ${number}: ${part} took ${recoveredMs} ms`);
  }
  for (const { name, state } of processes) if (state !== 'running') problems.push(`${name} is ${state} in the end`);
  if (gaveUp > 0) problems.push(`${gaveUp} webhooks got no answer at all`);
  if (!drained) problems.push('what was accepted has not all arrived');
  for (const { id, title, violations, ok } of audit.invariants) {
    if (ok) continue;
    problems.push(`${id}: ${violations === 0 ? 'could not be checked' : `${violations} violations of "${title}"`}`);
  }
  return problems;
}

function byPart(recoveries: readonly Recovery[]): KillResult['byPart'] {
  const groups = Map.groupBy(recoveries, ({ part }) => part);
  return [...groups].map(([part, rows]) => {
    const times = rows.map(({ recoveredMs }) => recoveredMs ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
    return {
      part,
      kills: rows.length,
      medianMs: times[Math.floor((times.length - 1) / 2)]!,
      longestMs: times.at(-1)!,
      longestUnacknowledgedMs: Math.max(...rows.map(({ unacknowledgedMs }) => unacknowledgedMs)),
    };
  });
}
