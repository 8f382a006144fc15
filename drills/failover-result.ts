import { type AuditResult, auditRun } from '../audit/audit.ts';
import { withClient } from '../kernel/postgres/with-client.ts';
import type { TopologyName } from '../kernel/topology.ts';
import { waitUntil } from '../kernel/wait.ts';
import type { WriteAttempt } from '../replication/fence.ts';
import type { Rebuilt } from '../replication/rebuild.ts';
import type { DrillHistory } from './history.ts';
import type { PlannedPromotion } from './schedule.ts';
import type { SlotReader } from './slot-reader.ts';
import type { DrillLoad } from './webhook-load.ts';

export interface Promotion extends PlannedPromotion {
  number: number;
  from: string;
  to: string;
  /** From the fault on, in milliseconds: the old primary fenced, the new one promoted, the first acknowledged write. */
  fencedMs: number;
  promotedMs: number;
  /** Null when none came within the time that the drill allows. */
  firstAckMs: number | null;
  /** What the old primary said to a write after it had been started again. */
  oldPrimary: WriteAttempt;
  rebuiltBy: Rebuilt['method'];
  rebuiltMs: number;
  /** Whether the slot was there on the new primary; null where the server has no failover slots. */
  slotSurvived: boolean | null;
}

export interface FailoverResult {
  ok: boolean;
  /** What is wrong, one sentence each; empty when `ok`. */
  problems: string[];
  id: string;
  /** Where schedule, history, the client's record and this result are. */
  directory: string;
  seed: number;
  synchronous: boolean;
  replicas: number;
  version: string;
  acknowledged: number;
  /** Acknowledged webhooks that the last primary does not have. */
  lostAcknowledged: number;
  /** From the fault to the first acknowledged write; the drill notices a fault at once, so detection comes on top. */
  recoveryMs: { median: number; max: number };
  oldPrimaryAcceptedWrites: number;
  /** Attempts that the provider repeated, by the reason. */
  retries: Record<string, number>;
  /** Null where the server has no failover slots. */
  slot: { survived: number; events: number; missing: number; unknown: number; repeated: number } | null;
  audit: AuditResult;
  promotions: Promotion[];
}

export interface FailoverEvidence {
  topology: TopologyName;
  history: DrillHistory;
  seed: number;
  synchronous: boolean;
  replicas: number;
  load: DrillLoad;
  promotions: Promotion[];
  reader: SlotReader | undefined;
  /** Of the payments database on the last primary. */
  adminDsn: string;
  version: string;
  signal: AbortSignal;
}

/** Holds what the client, the old primaries and the slot's reader have seen against the last primary. */
export async function judgeFailover(evidence: FailoverEvidence): Promise<FailoverResult> {
  const { history, seed, synchronous, replicas, load, promotions, adminDsn, version } = evidence;
  const audit = await auditRun({ dsn: adminDsn, topology: evidence.topology, recordFiles: [history.recordFile] });
  const slot = evidence.reader ? await judgeSlot(evidence.reader, adminDsn, promotions) : null;
  const times = promotions.flatMap(({ firstAckMs }) => firstAckMs ?? []);
  const result = {
    id: history.id,
    directory: history.directory,
    seed,
    synchronous,
    replicas,
    version,
    acknowledged: load.totals.acknowledged,
    lostAcknowledged: audit.invariants.find(({ id }) => id === 'I2')!.violations,
    recoveryMs: { median: median(times), max: Math.max(0, ...times) },
    oldPrimaryAcceptedWrites: promotions.filter(({ oldPrimary }) => oldPrimary.accepted).length,
    retries: load.totals.retries,
    slot,
    audit,
    promotions,
  };
  const problems = problemsOf({ ...result, gaveUp: load.totals.gaveUp });
  return { ok: problems.length === 0, problems, ...result };
}

/** What decides whether a drill passed. */
export type FailoverFindings = Pick<
  FailoverResult,
  'synchronous' | 'slot' | 'promotions' | 'audit' | 'oldPrimaryAcceptedWrites'
> & { gaveUp: number };

/** An asynchronous replica may lose the newest commits, and with them reads of one's own: that is counted, not refused. */
export function problemsOf(result: FailoverFindings): string[] {
  const { synchronous, slot, promotions, gaveUp } = result;
  const problems: string[] = [];
  const without = promotions.filter(({ firstAckMs }) => firstAckMs === null).length;
  if (without > 0) problems.push(`no write was acknowledged after ${without} promotions`);
  if (result.oldPrimaryAcceptedWrites > 0) problems.push('an old primary accepted a write');
  if (gaveUp > 0) problems.push(`${gaveUp} webhooks got no answer at all`);
  const tolerated = synchronous ? [] : ['I2', 'I3', 'I8'];
  for (const { id, title, violations } of result.audit.invariants) {
    if (violations > 0 && !tolerated.includes(id)) problems.push(`${id}: ${violations} violations of "${title}"`);
  }
  if (slot && slot.survived < promotions.length) problems.push('the slot was missing on a new primary');
  if (slot && slot.missing > 0) problems.push(`${slot.missing} events never came through the slot`);
  if (slot && slot.unknown > 0 && synchronous)
    problems.push(`the slot delivered ${slot.unknown} events that were lost`);
  return problems;
}

/** Every event of the last primary's outbox came through the slot, and none that it does not have. */
async function judgeSlot(
  reader: SlotReader,
  adminDsn: string,
  promotions: readonly Promotion[],
): Promise<NonNullable<FailoverResult['slot']>> {
  const stored = await withClient(adminDsn, async (client) => {
    const { rows } = await client.query<{ event_id: string }>('select event_id::text as event_id from outbox');
    return new Set(rows.map(({ event_id }) => event_id));
  });
  const missing = () => [...stored].filter((id) => !reader.eventIds.has(id)).length;
  await waitUntil(() => missing() === 0, { timeoutMs: 30_000, intervalMs: 100 });
  return {
    survived: promotions.filter(({ slotSurvived }) => slotSurvived).length,
    events: stored.size,
    missing: missing(),
    unknown: [...reader.eventIds].filter((id) => !stored.has(id)).length,
    repeated: reader.repeated,
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return 0;
  return sorted.length % 2 ? sorted[Math.floor(middle)]! : Math.round((sorted[middle - 1]! + sorted[middle]!) / 2);
}
